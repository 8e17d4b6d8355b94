import { CA_KEYS, type CaKeys, type CaSecret, guarded, readSigningRoot } from './ca-secret.ts';
import type { SigningRoot } from './root-state.ts';

/** Secret with the user's own CA; the leader takes it over into ours. */
export const USER_CA_SECRET = 'cacerts';

/** As a Secret of type kubernetes.io/tls has it: the one that cert-manager keeps for a Certificate with `isCA`. */
const TLS_KEYS: CaKeys = { certificate: 'tls.crt', key: 'tls.key', chain: 'tls.crt', roots: 'ca.crt' };

/**
 * Reads the Secret `cacerts`, in either of the formats that Istio takes; where there is a `tls.crt` that decides, as in Istio.
 * @param now milliseconds since 1970
 * @throws {RootProblem} naming the key of the Secret that is missing, malformed, expired or does not fit the others
 */
export function readUserRoot(secret: CaSecret, now: number): SigningRoot {
  const keys = secret.data?.[TLS_KEYS.certificate] === undefined ? CA_KEYS : TLS_KEYS;
  return guarded(() => readSigningRoot(secret, keys, 'cacerts', now));
}
