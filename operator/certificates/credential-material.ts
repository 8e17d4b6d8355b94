import type { KeyObject, X509Certificate } from 'node:crypto';
import type { XdsResource } from '../xds/resource.ts';
import type { CredentialName } from './credential-name.ts';
import { joinCertificates, parseCertificates, parsePrivateKey } from './pem.ts';
import { translateCredentialCertificate, translateCredentialRoots } from './secret-resource.ts';

/** A list of public authorities has some 150 certificates and a quarter of a megabyte. */
const ROOTS_BOUNDS = { chars: 512 * 1024, certificates: 512 };
/** Names in Istio's own form, which goes first, and in that of Secrets of type kubernetes.io/tls. */
const CERTIFICATE_KEYS = [
  ['cert', 'key'],
  ['tls.crt', 'tls.key'],
] as const;
const ROOTS_KEYS = ['cacert', 'ca.crt'] as const;
const CRL_KEYS = ['crl', 'ca.crl'] as const;
/** What Envoy takes: it refuses smaller RSA keys, and keys of any other kind. */
const MIN_RSA_BITS = 2048;
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * Makes the SDS secret out of an object's data.
 *
 * @param object names the object in errors, for example `Secret shop/db`
 * @param data the object's data as text, by key
 * @throws {Error} when a key is missing or what it holds is nothing that Envoy takes; never with any of the data in its message
 */
export function readCredential(
  { part, secret, objects }: CredentialName,
  object: string,
  data: ReadonlyMap<string, string>,
): XdsResource {
  if (part === 'certificate') return readCertificate(secret, object, data);
  const key = ROOTS_KEYS.find((name) => data.get(name));
  if (key === undefined) {
    const [companion] = objects.length > 1 ? objects : [];
    const elsewhere = companion === undefined ? '' : `, or write it into a Secret ${companion}`;
    throw new Error(`${object} has no ca.crt (authorities that the server is verified with); write it${elsewhere}`);
  }
  const roots = parseCertificates(data.get(key) ?? '', `${object}: ${key}`, ROOTS_BOUNDS);
  return translateCredentialRoots(secret, joinCertificates(roots), readCrl(object, data));
}

function readCertificate(secret: string, object: string, data: ReadonlyMap<string, string>): XdsResource {
  const keys = CERTIFICATE_KEYS.find(([chain, key]) => data.get(chain) && data.get(key));
  if (keys === undefined) throw new Error(`${object} has no tls.crt and tls.key; mode MUTUAL needs both`);
  const chain = parseCertificates(data.get(keys[0]) ?? '', `${object}: ${keys[0]}`);
  const privateKey = parsePrivateKey(data.get(keys[1]) ?? '', `${object}: ${keys[1]}`);
  checkKey(chain[0], privateKey, `${object}: ${keys[1]}`);
  return translateCredentialCertificate(
    secret,
    joinCertificates(chain),
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
}

function checkKey(leaf: X509Certificate | undefined, key: KeyObject, field: string): void {
  if (!leaf?.checkPrivateKey(key)) throw new Error(`${field} is not the key of the first certificate`);
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  const fits =
    key.asymmetricKeyType === 'rsa'
      ? modulusLength >= MIN_RSA_BITS
      : key.asymmetricKeyType === 'ec' && CURVES.includes(namedCurve);
  if (!fits) throw new Error(`${field} must be RSA of ${MIN_RSA_BITS} bits or more, or of curve P-256, P-384 or P-521`);
}

function readCrl(object: string, data: ReadonlyMap<string, string>): string | undefined {
  const key = CRL_KEYS.find((name) => data.get(name));
  const text = data.get(key ?? '') ?? '';
  if (key === undefined) return undefined;
  const lists = text.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g);
  if (lists === null || text.length > ROOTS_BOUNDS.chars)
    throw new Error(`${object}: ${key} holds no revocation list in PEM`);
  return `${lists.join('\n')}\n`;
}
