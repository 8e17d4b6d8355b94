import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/**
 * Which authorities a server may have its certificate from: those that everybody trusts.
 * @param extraRootCA further ones, in PEM; empty: none
 */
export function trustIn(extraRootCA: string): SecureContext {
  return createSecureContext({ ca: [...getCACertificates('default'), ...(extraRootCA === '' ? [] : [extraRootCA])] });
}

const UNKNOWN_AUTHORITY = 'its certificate is by no authority that is known here';

/** What OpenSSL and Node say of certificates, for who can mend them. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
};

/**
 * Why there was no connection.
 * @param code of the error that ended it
 * @param settings those of the mesh whose `extraRootCA` is for such calls
 */
export function connectionProblem(code: string, settings: 'jwks' | 'metrics'): string {
  const found = PROBLEMS[code];
  const remedy = found === UNKNOWN_AUTHORITY ? `; ${settings}.extraRootCA of the mesh can add one` : '';
  const problem = found && `${found}${remedy}`;
  return problem === undefined ? `no connection: ${code}` : `${problem} (${code})`;
}
