import type { HttpMatch, NamedMatch, SourceMatch, StringMatch } from './route-rule.ts';

/**
 * Matches that are within one of the root's and one of the delegate's. As in Istio each match of the delegate must be narrower than one of
 * the root's, as far as can be told from the text.
 * @returns undefined when they contradict each other
 */
export function mergeMatches(root: readonly HttpMatch[], part: readonly HttpMatch[]): HttpMatch[] | undefined {
  if (root.length === 0) return [...part];
  if (part.length === 0) return [...root];
  const merged: HttpMatch[] = [];
  for (const inner of part) {
    const within = root.filter((outer) => isNarrower(outer, inner));
    if (within.length === 0) return undefined;
    merged.push(...within.map((outer) => mergeMatch(outer, inner)));
  }
  return merged;
}

function mergeMatch(outer: HttpMatch, inner: HttpMatch): HttpMatch {
  const source = mergeSource(outer.source, inner.source);
  return {
    ...outer,
    ...inner,
    ignoreUriCase: inner.uri === undefined ? outer.ignoreUriCase : inner.ignoreUriCase,
    headers: mergeNamed(outer.headers, inner.headers),
    withoutHeaders: uniteNamed(outer.withoutHeaders, inner.withoutHeaders),
    queryParams: mergeNamed(outer.queryParams, inner.queryParams),
    ...(source && { source }),
  };
}

/** The inner condition is the narrower one, so it stands for both. */
function mergeNamed(outer: readonly NamedMatch[], inner: readonly NamedMatch[]): readonly NamedMatch[] {
  if (outer.length === 0) return inner;
  const names = new Set(inner.map(({ name }) => name));
  return [...outer.filter(({ name }) => !names.has(name)), ...inner];
}

/** None of these may match, so all of them stay. */
function uniteNamed(outer: readonly NamedMatch[], inner: readonly NamedMatch[]): readonly NamedMatch[] {
  if (outer.length === 0 || inner.length === 0) return outer.length === 0 ? inner : outer;
  const identity = ({ name, value }: NamedMatch) => JSON.stringify([name, value?.kind, value?.value]);
  return [...new Map([...outer, ...inner].map((match) => [identity(match), match])).values()];
}

function mergeSource(outer: SourceMatch | undefined, inner: SourceMatch | undefined): SourceMatch | undefined {
  if (outer === undefined || inner === undefined) return inner ?? outer;
  return { ...outer, ...inner, labels: { ...outer.labels, ...inner.labels } };
}

function isNarrower(outer: HttpMatch, inner: HttpMatch): boolean {
  for (const name of ['uri', 'scheme', 'method', 'authority'] as const) {
    if (!isWithin(outer[name], inner[name])) return false;
  }
  if (!areWithin(outer.headers, inner.headers) || !areWithin(outer.queryParams, inner.queryParams)) return false;
  if (outer.ignoreUriCase !== inner.ignoreUriCase && outer.uri !== undefined && inner.uri !== undefined) return false;
  if (outer.port !== undefined && inner.port !== undefined && outer.port !== inner.port) return false;
  return isSourceWithin(outer.source, inner.source);
}

function areWithin(outer: readonly NamedMatch[], inner: readonly NamedMatch[]): boolean {
  if (outer.length === 0 || inner.length === 0) return true;
  const conditions = new Map(outer.map(({ name, value }) => [name, value]));
  return inner.every(({ name, value }) => {
    if (!conditions.has(name)) return true;
    const condition = conditions.get(name);
    // To be there at all is the widest condition.
    return condition === undefined || (value !== undefined && isWithin(condition, value));
  });
}

/** Whether the inner condition is as narrow as the outer one; one that is missing is no hindrance. Regular expressions can't be compared. */
function isWithin(outer: StringMatch | undefined, inner: StringMatch | undefined): boolean {
  if (outer === undefined || inner === undefined) return true;
  if (outer.kind === 'regex' || inner.kind === 'regex') return false;
  if (outer.kind === 'exact') return inner.kind === 'exact' && inner.value === outer.value;
  return inner.value.startsWith(outer.value);
}

function isSourceWithin(outer: SourceMatch | undefined, inner: SourceMatch | undefined): boolean {
  if (outer === undefined || inner === undefined) return true;
  const { namespace } = outer;
  if (namespace !== undefined && inner.namespace !== undefined && namespace !== inner.namespace) return false;
  const labels = new Map(Object.entries(outer.labels));
  return Object.entries(inner.labels).every(([name, value]) => (labels.get(name) ?? value) === value);
}
