import { istioDurationMs } from './istio-duration.ts';
import type { JwtRule } from './request-authentication.ts';

/** Where OpenID Connect publishes what an issuer is like, its `jwks_uri` among it. */
export const DISCOVERY_PATH = '/.well-known/openid-configuration';
const DEFAULT_TIMEOUT_MS = 5000;
/** A hanging server must not hold up the keys of others. */
const LONGEST_TIMEOUT_MS = 30_000;

/** Where the keys of a rule are to be had. */
export type JwksSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'uri'; readonly uri: string; readonly timeoutMs: number }
  | { readonly kind: 'nowhere' };

/** Where the keys of a rule come from: it has them, or says where they are, or its issuer does (OpenID discovery). */
export function jwksSourceOf(rule: JwtRule): JwksSource {
  const { jwks = '', jwksUri = '', jwks_uri: alias = '', issuer = '', timeout } = rule;
  if (jwks !== '') return { kind: 'inline', text: jwks };
  const timeoutMs = Math.min(istioDurationMs(timeout ?? '') ?? DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS);
  const uri = jwksUri || alias;
  if (uri !== '') return { kind: 'uri', uri, timeoutMs };
  const discovery = `${issuer.replace(/\/$/, '')}${DISCOVERY_PATH}`;
  return jwksUriProblem(discovery) === undefined ? { kind: 'uri', uri: discovery, timeoutMs } : { kind: 'nowhere' };
}

/** Whether a URI is of OpenID discovery: then what is there says where the keys are. */
export function isDiscovery(uri: string): boolean {
  return URL.canParse(uri) && new URL(uri).pathname.endsWith(DISCOVERY_PATH);
}

/** Why keys can't be fetched from there, in the words of a field problem; undefined when they can. */
export function jwksUriProblem(uri: string): string | undefined {
  if (uri.length > 2048 || !URL.canParse(uri)) return `must be a URL of https or http, and is "${uri.slice(0, 200)}"`;
  const { protocol, username, password } = new URL(uri);
  if (protocol !== 'https:' && protocol !== 'http:') return `must be a URL of https or http, and is "${uri}"`;
  if (username !== '' || password !== '') return 'must not have a user or a password';
  return undefined;
}
