/** Characters that an escape stands for no longer once a path is normalised: those that need none. */
const UNRESERVED = /^[-._~0-9A-Za-z]$/;

/** Those that browsers escape in a path, too. */
const FORBIDDEN = /["<>`{}|^]/g;

/**
 * A path as Istio's "Authorization Policy Normalization" has it by default (`BASE`): what needs no escape has none (once, not twice), backslashes are
 * slashes, `.` and `..` are gone, and so is the query. Escaped slashes and repeated ones stay. Not in its documentation, but in Envoy's (CVE-2026-73551):
 * what follows a `;` in a segment `.` or `..`, as it is sent, is gone before that; and what no path may have is escaped, as is
 * a `%` that would begin an escape only then: `%6%31` is `%2561`, and not `%61`.
 */
export function normalisedPath(target: string): string {
  const [path = ''] = target.split('?', 1);
  const bare = path.replaceAll(/\/(\.\.?);[^/]*/g, '/$1');
  const decoded = unescapeOnce(bare);
  const escaped = decoded.replaceAll(FORBIDDEN, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  return withoutDots(escaped.replaceAll('\\', '/'));
}

function unescapeOnce(path: string): string {
  let read = '';
  /** Where the last `%` is that began no escape. */
  let stray = Number.NaN;
  for (const [part, hex] of path.matchAll(/%([0-9a-fA-F]{2})|[\s\S]/g)) {
    const character = hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16));
    const isNew = UNRESERVED.test(character);
    const behind = read.slice(stray + 1);
    if (isNew && read.length > stray && /^[0-9a-fA-F]?$/.test(behind) && /[0-9a-fA-F]/.test(character)) {
      read = `${read.slice(0, stray + 1)}25${behind}`;
    }
    if (part === '%') stray = read.length;
    read += isNew ? character : part;
  }
  return read;
}

/**
 * Whether servers may take a normalised path for another one: `/x/%2e%2e;/admin` is `/x/..;/admin` by now, and some, as Tomcat and Jetty, leave out what
 * follows the `;` before they go back by a segment. So may one that unescapes first.
 */
export function isUnclear(path: string): boolean {
  return normalisedPath(path) !== path || /\/\.\.?%3b/i.test(path);
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
