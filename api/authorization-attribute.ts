import { isHeaderName } from './http-headers.ts';

/** An attribute that a condition (`when.key`) is about, as Istio documents it. */
export type AuthorizationAttribute =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'source-ip' | 'remote-ip' | 'destination-ip' }
  | { readonly kind: 'source-namespace' | 'source-principal' | 'source-service-account' | 'source-trust-domain' }
  | { readonly kind: 'request-principal' | 'audiences' | 'presenter' }
  | { readonly kind: 'claim'; readonly path: readonly string[] }
  | { readonly kind: 'destination-port' | 'sni' }
  | { readonly kind: 'metadata'; readonly filter: string; readonly path: readonly string[] };

const PLAIN: Readonly<Record<string, AuthorizationAttribute>> = {
  'source.ip': { kind: 'source-ip' },
  'remote.ip': { kind: 'remote-ip' },
  'source.namespace': { kind: 'source-namespace' },
  'source.principal': { kind: 'source-principal' },
  'source.serviceAccount': { kind: 'source-service-account' },
  'source.trustDomain': { kind: 'source-trust-domain' },
  'request.auth.principal': { kind: 'request-principal' },
  'request.auth.audiences': { kind: 'audiences' },
  'request.auth.presenter': { kind: 'presenter' },
  'destination.ip': { kind: 'destination-ip' },
  'destination.port': { kind: 'destination-port' },
  'connection.sni': { kind: 'sni' },
};

/** Those that only an HTTP request has. */
const OF_REQUESTS: ReadonlySet<AuthorizationAttribute['kind']> = new Set([
  'header',
  'request-principal',
  'audiences',
  'presenter',
  'claim',
]);

/** A name of a header, or a step to a claim, in brackets. */
const BRACKETS = /\[([^[\]]+)\]/gy;

/** Reads a condition's key; undefined where there is no such attribute. */
export function readAttribute(key: string): AuthorizationAttribute | undefined {
  if (Object.hasOwn(PLAIN, key)) return PLAIN[key];
  const open = key.indexOf('[');
  if (open < 0) return undefined;
  const [name, steps] = [key.slice(0, open), bracketed(key.slice(open))];
  const [first = ''] = steps ?? [];
  if (steps === undefined) return undefined;
  // With a colon are those that HTTP/2 has for the request line.
  if (name === 'request.headers' && steps.length === 1 && isHeaderName(first.replace(/^:/, ''))) {
    return { kind: 'header', name: first.toLowerCase() };
  }
  if (name === 'request.auth.claims') return { kind: 'claim', path: steps };
  if (/^experimental\.envoy\.filters\.[a-z0-9_.]+$/.test(name) && steps.length === 1) {
    return { kind: 'metadata', filter: name.slice('experimental.'.length), path: [first] };
  }
  return undefined;
}

/** Whether an attribute is of HTTP requests, so that bytes of TCP have none. */
export function isOfRequests({ kind }: AuthorizationAttribute): boolean {
  return OF_REQUESTS.has(kind);
}

/** `[a][b]` as its steps; undefined for anything else. */
function bracketed(text: string): string[] | undefined {
  const steps: string[] = [];
  let end = 0;
  for (const match of text.matchAll(BRACKETS)) {
    steps.push(match[1] ?? '');
    end = match.index + match[0].length;
  }
  return end === text.length ? steps : undefined;
}
