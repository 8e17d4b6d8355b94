import { generateKeyPair, type KeyObject, sign as signAsync } from 'node:crypto';
import { promisify } from 'node:util';

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);
const sign = promisify(signAsync);

/** Makes an EC P-256 key pair on libuv's thread pool, off the event loop. */
export function makeKeyPair(): Promise<KeyPair> {
  return generate('ec', { namedCurve: 'P-256' });
}

/** Object identifiers of the signature algorithms we sign with (RFC 5758, RFC 8017). */
const SIGNATURES = {
  prime256v1: { hash: 'sha256', oid: '1.2.840.10045.4.3.2' },
  secp384r1: { hash: 'sha384', oid: '1.2.840.10045.4.3.3' },
  rsa: { hash: 'sha256', oid: '1.2.840.113549.1.1.11' },
} as const;

export interface SignatureAlgorithm {
  readonly hash: string;
  readonly oid: string;
  /** RSA's algorithm identifier carries an explicit NULL, ECDSA's must not. */
  readonly hasNullParameter: boolean;
}

/**
 * The signature algorithm for a CA's private key: P-256, P-384, or RSA of at least 2048 bits (as in users' `cacerts`).
 * @throws {Error} for any other key, which Envoy would refuse
 */
export function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= 2048) return { ...SIGNATURES.rsa, hasNullParameter: true };
  if (key.asymmetricKeyType === 'ec' && (namedCurve === 'prime256v1' || namedCurve === 'secp384r1')) {
    return { ...SIGNATURES[namedCurve], hasNullParameter: false };
  }
  const what = namedCurve ?? `${key.asymmetricKeyType} of ${modulusLength} bits`;
  throw new Error(`the CA key is ${what}; use EC P-256, EC P-384 or RSA of 2048 bits or more`);
}

/** Signs bytes; ECDSA signatures come DER-encoded, as X.509 wants them. */
export function signBytes(algorithm: SignatureAlgorithm, data: Uint8Array, key: KeyObject): Promise<Buffer> {
  return sign(algorithm.hash, data, key);
}

/** A private key as PKCS #8 PEM. */
export const privateKeyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
