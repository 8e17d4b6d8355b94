import type { HttpMatch, NamedMatch, SourceMatch, TcpMatch, TlsMatch } from './route-rule.ts';

/** Key of a match that takes everything. */
export const CATCH_ALL = '';

/** Facts live as long as their object stays the same, so the keys of their matches need be made but once. */
const httpKeys = new WeakMap<HttpMatch, string>();

/** Keys of the matches of an HTTP rule; equal keys take the same requests. A rule without matches takes everything. */
export function httpMatchKeys(matches: readonly HttpMatch[]): string[] {
  return matches.length === 0 ? [CATCH_ALL] : matches.map(httpMatchKey);
}

/** Keys of the matches of a TCP rule. */
export function tcpMatchKeys(matches: readonly TcpMatch[]): string[] {
  return matches.length === 0 ? [CATCH_ALL] : matches.map((match) => keyOf(...describeTcp(match)));
}

/** Keys of the matches of a TLS rule, one for each name in the handshake. */
export function tlsMatchKeys(matches: readonly TlsMatch[]): string[] {
  return matches.flatMap((match) => match.sniHosts.map((host) => keyOf(host, ...describeTcp(match))));
}

/** Whether an HTTP match takes every request: it has no condition, or none but that the path begins with a slash, as each does. */
export function isCatchAll(match: HttpMatch): boolean {
  return httpMatchKey(match) === CATCH_ALL;
}

/** Whether an HTTP rule takes every request that comes to it. */
export function takesAll(matches: readonly HttpMatch[]): boolean {
  return matches.length === 0 || matches.some(isCatchAll);
}

function httpMatchKey(match: HttpMatch): string {
  const known = httpKeys.get(match);
  if (known !== undefined) return known;
  const key = describeHttp(match);
  httpKeys.set(match, key);
  return key;
}

function describeHttp({ uri, ignoreUriCase, scheme, method, authority, port, source, ...named }: HttpMatch): string {
  const anyPath = uri === undefined || (uri.kind === 'prefix' && uri.value === '/');
  return keyOf(
    anyPath ? null : [uri.kind, uri.value, ignoreUriCase && uri.kind !== 'regex'],
    ...[scheme, method, authority].map((condition) => (condition ? [condition.kind, condition.value] : null)),
    ...[named.headers, named.withoutHeaders, named.queryParams].map(describeNamed),
    port ?? null,
    describeSource(source),
  );
}

function describeTcp({ port, subnets, source }: TcpMatch) {
  return [port ?? null, subnets.length === 0 ? null : [...subnets].sort(), describeSource(source)] as const;
}

function describeNamed(matches: readonly NamedMatch[]) {
  if (matches.length === 0) return null;
  return matches.map(({ name, value }) => [name, value?.kind ?? '', value?.value ?? ''].join('\n')).sort();
}

function describeSource(source: SourceMatch | undefined) {
  if (source === undefined) return null;
  return [
    source.namespace ?? '',
    ...Object.entries(source.labels)
      .map((label) => label.join('='))
      .sort(),
  ];
}

/** Without any condition it is {@link CATCH_ALL}. */
function keyOf(...conditions: readonly unknown[]): string {
  return conditions.every((condition) => condition === null) ? CATCH_ALL : JSON.stringify(conditions);
}
