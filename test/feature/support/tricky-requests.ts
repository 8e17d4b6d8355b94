import type { AuthorizationPolicy } from '../../../api/authorization-policy.ts';
import type { Draw } from '../../../operator/xds/testing/draw.ts';
import { HEADER_VALUES, HEADERS, HOSTS, METHODS, PATHS, REMOTE_IPS, SEGMENTS } from './authorization-vocabulary.ts';

/** A request as it is sent, to the byte. */
export interface TrickyRequest {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly method: string;
  /** As in the request line, or `:path`. */
  readonly target: string;
  /** `:authority` of HTTP/2. */
  readonly authority?: string;
  /** In their order, `Host` too. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What policies name, which requests then are often about. */
export interface Hints {
  readonly paths: readonly string[];
  readonly hosts: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export function hintsOf(policies: readonly AuthorizationPolicy[]): Hints {
  const rules = policies.flatMap(({ spec }) => spec?.rules ?? []);
  const operations = rules.flatMap(({ to = [] }) => to.map(({ operation = {} }) => operation));
  return {
    paths: operations.flatMap(({ paths = [], notPaths = [] }) => [...paths, ...notPaths]),
    hosts: operations.flatMap(({ hosts = [], notHosts = [] }) => [...hosts, ...notHosts]),
    methods: operations.flatMap(({ methods = [], notMethods = [] }) => [...methods, ...notMethods]),
    headers: rules.flatMap(({ when = [] }) =>
      when.flatMap(({ key, values = [], notValues = [] }) => {
        const [, name] = /^request\.headers\[(.*)\]$/.exec(key) ?? [];
        return name === undefined || name === 'Host'
          ? []
          : [...values, ...notValues].map((value) => [name, value] as const);
      }),
    ),
  };
}

/** A request at random: plain, or with tricks. */
export function trickyRequest(draw: Draw, hints: Hints): TrickyRequest {
  const protocol = draw.once(12) ? 'HTTP/1.0' : draw.one(['HTTP/1.1', 'HTTP/2'] as const);
  const method = randomMethod(draw, hints);
  const host = randomHost(draw, hints);
  const path = randomTarget(draw, hints);
  const headers = randomHeaders(draw, hints);
  if (protocol !== 'HTTP/2') {
    const target = draw.once(12) ? `${draw.one(['http', 'HTTP', 'https'])}://${randomHost(draw, hints)}${path}` : path;
    headers.splice(draw.below(headers.length + 1), 0, [draw.one(['Host', 'host', 'HOST']), host]);
    // One that has no host, or two.
    if (draw.once(60)) headers.push(['Host', randomHost(draw, hints)]);
    if (protocol === 'HTTP/1.0' && draw.once(10)) return { protocol, method, target, headers: headers.filter(noHost) };
    return { protocol, method, target, headers };
  }
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  // Against the authority, or in its place.
  if (draw.once(20)) lower.push(['host', randomHost(draw, hints)]);
  else if (draw.once(40)) return { protocol, method, target: path, headers: [...lower, ['host', host]] };
  return { protocol, method, target: path, authority: host, headers: lower };
}

function noHost([name]: readonly [string, string]): boolean {
  return name.toLowerCase() !== 'host';
}

function randomMethod(draw: Draw, { methods }: Hints): string {
  if (draw.once(40)) return draw.one(['get', 'Get', 'post', 'PROPFIND', 'FOO', 'CONNECT', 'TRACE', 'G-T']);
  return methods.length > 0 && draw.once(2) ? concrete(draw, draw.one(methods), 'GET', 'T') : draw.one(METHODS);
}

function randomHost(draw: Draw, { hosts }: Hints): string {
  const host =
    hosts.length > 0 && draw.once(2) ? concrete(draw, draw.one(hosts), 'shop.example', 'x') : draw.one(HOSTS);
  if (draw.once(4)) return [...host].map((letter) => (draw.once(2) ? letter.toUpperCase() : letter)).join('');
  if (draw.once(10)) return `${host}:${draw.one(['80', '443', '8080'])}`;
  if (draw.once(40))
    return draw.one([
      '',
      `${host}.`,
      `ann@${host}`,
      `${host}/x`,
      `${host},evil.example`,
      'a b',
      'xn--e1afmkfd.example',
      'h\xf6st',
    ]);
  return host;
}

/** A text that a pattern matches, or nearly so. */
function concrete(draw: Draw, pattern: string, any: string, more: string): string {
  if (pattern === '*') return any;
  return pattern.replace('*', () => draw.one(['', more, any]));
}

function randomTarget(draw: Draw, { paths }: Hints): string {
  let path = paths.length > 0 && !draw.once(3) ? concretePath(draw, draw.one(paths)) : draw.one(PATHS);
  for (let left = draw.one([0, 0, 0, 1, 1, 1, 2, 3]); left > 0; left--) path = draw.one(TRICKS)(path, draw);
  if (draw.once(8)) path += draw.one(['?', '?q=/admin', '?/../admin', '?a=b?c', '?%00', '?x=%2e%2e/']);
  if (draw.once(80)) path = draw.one(['', '*', path.slice(1), `//${path}`, `http:/${path}`, `?${path}`]);
  return path;
}

function concretePath(draw: Draw, pattern: string): string {
  const segment = () => draw.one(SEGMENTS);
  const filled = pattern
    .replaceAll('{**}', () => draw.list(0, 3, segment).join('/'))
    .replaceAll('{*}', () => draw.one([segment, segment, segment, () => ''])());
  const path = filled === pattern ? concrete(draw, pattern, '/admin', 'x') : filled;
  return path.startsWith('/') ? path : `/${path}`;
}

type Trick = (path: string, draw: Draw) => string;

/** Puts a text in place of, or behind, a slash. */
function atSlash(make: (slash: string) => string): Trick {
  return (path, draw) => {
    const slashes = [...path].flatMap((letter, index) => (letter === '/' ? [index] : []));
    if (slashes.length === 0) return path;
    const at = draw.one(slashes);
    return path.slice(0, at) + make('/') + path.slice(at + 1);
  };
}

/** Puts a text in place of a character. */
function atCharacter(make: (character: string, draw: Draw) => string): Trick {
  return (path, draw) => {
    if (path.length < 2) return path;
    const at = 1 + draw.below(path.length - 1);
    return path.slice(0, at) + make(path[at] ?? '', draw) + path.slice(at + 1);
  };
}

const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0');

const TRICKS: readonly Trick[] = [
  atSlash(() => '//'),
  atSlash(() => '///'),
  atSlash(() => '/./'),
  atSlash(() => '/x/../'),
  atSlash(() => '/..;/'),
  atSlash(() => '/x/..;/'),
  atSlash(() => '/x/..;v=1/'),
  atSlash(() => '/x/%2e%2e;/'),
  atSlash(() => '\\x\\..;\\'),
  atSlash(() => '/x/%2E%2e;v=1/'),
  atSlash(() => '/%2e;/'),
  atSlash(() => '/x/%2%65%2%65/'),
  atSlash(() => '/x/%2%65%2%65;/'),
  atSlash(() => '%2%46'),
  atSlash(() => '/.;/'),
  atSlash(() => '/x/..%3b/'),
  atSlash(() => '/;/'),
  atSlash(() => '%2f'),
  atSlash(() => '%2F'),
  atSlash(() => '/%2f'),
  atSlash(() => '%252F'),
  atSlash(() => '\\'),
  atSlash(() => '/\\'),
  atSlash(() => '%5c'),
  atSlash(() => '/x/%2e%2e/'),
  atSlash(() => '/x/%2E./'),
  atSlash(() => '/x%2f..%2f'),
  atSlash(() => '/x/%252e%252e/'),
  atSlash(() => '/%2e/'),
  atSlash(() => '/../'),
  atSlash(() => '/x\\..\\'),
  atCharacter((character) => `%${hex(character)}`),
  atCharacter((character) => `%${hex(character).toUpperCase()}`),
  atCharacter((character) => `%25${hex(character)}`),
  // An escape whose second digit is escaped itself.
  atCharacter((character) => `%${hex(character)[0]}%${hex(hex(character)[1] ?? '')}`),
  atCharacter((character) => `%%${hex(hex(character)[0] ?? '')}${hex(character)[1]}`),
  atCharacter((character) => character.toUpperCase()),
  atCharacter(
    (character, draw) =>
      character + draw.one(['%00', '\0', '#', '#x', '%23', '%3f', '%zz', '%', '%c0%af', '%ff', '\x7f', '\t', '\x01']),
  ),
  atCharacter(
    (character, draw) =>
      character + draw.one(['"', '<', '>', '`', '{', '}', '|', '^', '[', ']', '*', '=', '\xe9', '\xff', '+', "'", ';']),
  ),
  (path) => `${path}/`,
  (path) => `${path}/.`,
  (path) => `${path}/..`,
  (path) => `${path}/..;`,
  (path) => `${path};v=1`,
  (path) => `${path}%20`,
  (path) => `${path}.`,
  (path, draw) => `${path}/${'x'.repeat(draw.one([200, 2000, 7000]))}`,
];

function randomHeaders(draw: Draw, { headers }: Hints): [name: string, value: string][] {
  const list: [string, string][] = draw.list(0, 3, () => {
    if (headers.length === 0 || draw.once(3)) return [draw.one(HEADERS), randomValue(draw)];
    const [name, value] = draw.one(headers);
    return [name, draw.once(5) ? randomValue(draw) : concrete(draw, value, 'ann', 'x')];
  });
  if (draw.once(5) && list.length > 0) list.push([draw.one(list)[0], randomValue(draw)]);
  if (draw.once(8)) list.push(['X-Forwarded-For', randomForwardedFor(draw)]);
  if (draw.once(20)) {
    const name = draw.one(['x-envoy-original-path', 'x-original-url', 'x-http-method-override', 'x-forwarded-host']);
    list.push([name, draw.one(['/', '/admin', 'GET', 'shop.example'])]);
  }
  if (draw.once(25)) list.push(['x-forwarded-client-cert', 'URI=spiffe://cluster.local/ns/shop/sa/ui']);
  return list;
}

function randomValue(draw: Draw): string {
  return draw.once(6)
    ? draw.one(['', '', 'x'.repeat(4000), 'ann\tbob', '\xe9', '\xff', ',', 'ann, bob', '*'])
    : draw.one(HEADER_VALUES);
}

function randomForwardedFor(draw: Draw): string {
  const one = () => draw.one([...REMOTE_IPS, ...REMOTE_IPS, '127.0.0.9', 'unknown', '', '10.1.2.3:80']);
  return draw.list(1, 3, one).join(draw.one([',', ', ']));
}
