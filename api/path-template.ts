/** What a `{` begins in a path of an AuthorizationPolicy: the operators are `{*}` for one segment and `{**}` for any number of them. */
export function isPathTemplate(path: string): boolean {
  return path.includes('{*}') || path.includes('{**}');
}

/**
 * What is wrong with a path template; undefined when nothing is. Operators stand alone in a segment, and nothing
 * with a `*` comes after `{**}`.
 */
export function pathTemplateProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'must begin with "/" where it has {*} or {**}';
  const segments = path.slice(1).split('/');
  let seenAny = false;
  for (const segment of segments) {
    if (segment === '{**}') {
      if (seenAny) return 'must have {**} once';
      seenAny = true;
    } else if (segment === '{*}') {
      if (seenAny) return 'must have no {*} after {**}';
    } else if (!/^[-a-zA-Z0-9._~%!$&'()+,;:@=]*$/.test(segment)) {
      return `must have {*} and {**} alone in a segment, without other "{", "}" and "*", and has "${segment}"`;
    }
  }
  return undefined;
}
