/** Characters that an escape stands for no longer once a path is normalised: those that need none. */
const UNRESERVED = /^[-._~0-9A-Za-z]$/;

/** Those that browsers escape in a path, too. */
const FORBIDDEN = /["<>`{}|^]/g;

/**
 * A path as Istio's "Authorization Policy Normalization" has it by default (`BASE`): what needs no escape has none (once, not twice), backslashes are
 * slashes, `.` and `..` are gone, and so is the query. Escaped slashes and repeated ones stay. Not in its documentation, but in Envoy's (CVE-2026-73551):
 * what follows a `;` in a segment `.` or `..`, as it is sent, is gone before that; and what no path may have is escaped.
 */
export function normalisedPath(target: string): string {
  const [path = ''] = target.split('?', 1);
  const bare = path.replaceAll(/\/(\.\.?);[^/]*/g, '/$1');
  const decoded = bare.replaceAll(/%([0-9a-fA-F]{2})/g, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : escaped;
  });
  const escaped = decoded.replaceAll(FORBIDDEN, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return withoutDots(escaped.replaceAll('\\', '/'));
}

/** RFC 3986, 5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment === '.' || segment === '..') {
      if (last) kept.push('');
    } else kept.push(segment);
  }
  return `/${kept.join('/')}`;
}
