import { NO_KEYS } from '../../api/jwk-set.ts';
import { digestOf } from './digest.ts';

/** The keys that are served at a URI, as whoever fetches them gives them to the mesh. */
export interface Jwks {
  /** `name` is the URI. */
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly generation?: number };
  /** A JWK set as `readJwkSet` gives it: the last good one; absent: there never was one. */
  readonly keys?: string;
  /** Why they could not be fetched when that was last tried. */
  readonly problem?: string;
}

/** Keys that signatures of tokens are verified with. */
export interface TokenKeys {
  /** A JWK set; perhaps without any. */
  readonly text: string;
  /** Equal for equal keys. */
  readonly digest: string;
}

/** What the mesh reads of the keys at a URI. */
export interface JwksFacts {
  readonly uri: string;
  readonly keys: TokenKeys;
  readonly problem?: string;
}

/** With these no token is valid. */
export const NO_TOKEN_KEYS = tokenKeys(NO_KEYS);

export function readJwks({ metadata, keys = NO_KEYS, problem }: Jwks): JwksFacts {
  return { uri: metadata.name, keys: tokenKeys(keys), ...(problem === undefined ? {} : { problem }) };
}

/** @param text a JWK set as `readJwkSet` gives it */
export function tokenKeys(text: string): TokenKeys {
  return { text, digest: digestOf(text) };
}
