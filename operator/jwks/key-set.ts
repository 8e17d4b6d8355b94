import { NO_KEYS, readJwkSet } from '../../api/jwk-set.ts';
import { isDiscovery } from '../../api/jwks-source.ts';
import { isDowngrade } from '../outward/guarded-request.ts';
import { type FetchBounds, FetchError, fetchDocument } from './document.ts';

/** What was found at a URI. */
export interface FoundKeys {
  /** For Envoy; perhaps a set without keys. */
  readonly text: string;
  /** Why there is none, when there is none. */
  readonly problem?: string;
}

/**
 * Fetches the keys at a URI, or, of OpenID discovery, where that says they are. An empty set is an answer: whoever withdraws all keys is heard.
 * @throws {FetchError}
 */
export async function fetchKeys(uri: string, bounds: FetchBounds): Promise<FoundKeys> {
  const document = await fetchDocument(uri, bounds);
  const text = isDiscovery(uri) ? await fetchDocument(leadOf(uri, document), bounds) : document;
  const set = readJwkSet(text, false);
  if (typeof set === 'string') throw new FetchError(`what is there ${set}`);
  if (set.count > 0) return { text: set.text };
  const [reason = 'the set is empty'] = set.left;
  return { text: NO_KEYS, problem: `what is there has no key to verify a signature with: ${reason}` };
}

/** Where discovery leads. As with redirects, whoever is asked over TLS can't lead to where there is none. */
function leadOf(uri: string, document: string): string {
  const keysUri = keysUriOf(document);
  const to = URL.parse(keysUri);
  if (to !== null && isDowngrade(new URL(uri), to)) throw new FetchError('it leads from https to http');
  return keysUri;
}

/**
 * Where a document of OpenID discovery says that the keys are.
 * @throws {FetchError} when it does not say so
 */
export function keysUriOf(document: string): string {
  try {
    const { jwks_uri: uri } = JSON.parse(document);
    if (typeof uri === 'string') return uri;
  } catch {
    // It is no JSON, and says as little.
  }
  throw new FetchError('what is there does not say where the keys are (jwks_uri)');
}
