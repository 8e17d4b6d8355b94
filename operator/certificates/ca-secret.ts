import type { X509Certificate } from 'node:crypto';
import type { ObjectMeta } from '../../kube/object.ts';
import type { Issuer } from './certificate.ts';
import { signatureAlgorithm } from './key-pair.ts';
import { distinctCertificates, parseCertificates, parsePrivateKey } from './pem.ts';
import type { RootOrigin, SigningRoot } from './root-state.ts';

export interface CaSecret {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
}

/** Why a Secret cannot be used. */
export class RootProblem extends Error {
  override readonly name = 'RootProblem';
  /** `ClockOff`: it may be right, and our clock wrong, so it must not be replaced. */
  readonly reason: 'Invalid' | 'Expired' | 'ClockOff';
  /** When it is over by our clock, milliseconds since 1970; undefined where only another Secret ends it. */
  readonly until: number | undefined;

  constructor(reason: RootProblem['reason'], message: string, until?: number) {
    super(message);
    this.reason = reason;
    this.until = until;
  }
}

/** Keys of a Secret that hold a CA. */
export interface CaKeys {
  readonly certificate: string;
  readonly key: string;
  /** May be absent from the Secret. */
  readonly chain: string;
  readonly roots: string;
}

/** Istio's names. */
export const CA_KEYS: CaKeys = {
  certificate: 'ca-cert.pem',
  key: 'ca-key.pem',
  chain: 'cert-chain.pem',
  roots: 'root-cert.pem',
};

/** Extended key usages. */
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Runs a reader; whatever it throws becomes a RootProblem. */
export function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RootProblem) throw error;
    throw new RootProblem('Invalid', error instanceof Error ? error.message : String(error));
  }
}

function fieldName(secret: CaSecret, key: string): string {
  return `Secret ${secret.metadata.name}: ${key}`;
}

/** A key's text; '' where there is none. */
export function readText(secret: CaSecret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

/** @throws {Error} naming the key when it holds no certificate, or one that is malformed */
export function readCertificates(secret: CaSecret, key: string): X509Certificate[] {
  return parseCertificates(readText(secret, key), fieldName(secret, key));
}

/**
 * Reads a certificate that signs, with its key.
 * @param now milliseconds since 1970
 * @throws {Error} naming what is wrong, and what to do about it
 */
export function readIssuer(secret: CaSecret, keys: CaKeys, now: number): Issuer {
  const field = fieldName(secret, keys.certificate);
  const [certificate] = readCertificates(secret, keys.certificate);
  if (!certificate) throw new Error(`${field} holds no certificate`);
  const key = parsePrivateKey(readText(secret, keys.key), fieldName(secret, keys.key));
  if (!certificate.ca) throw new Error(`${field} is no CA certificate; issue it with the basic constraint CA:TRUE`);
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${field} and ${keys.key} do not belong together; write both of one CA at once`);
  }
  signatureAlgorithm(key);
  checkUses(certificate, field);
  checkValidity(certificate, field, now);
  return { certificate, privateKey: key };
}

/** Reads a CA with all that stands above it, and checks the whole chain up to one of its roots; throws as `readIssuer`. */
export function readSigningRoot(secret: CaSecret, keys: CaKeys, origin: RootOrigin, now: number): SigningRoot {
  const signing = readIssuer(secret, keys, now);
  const anchors = distinctCertificates(readCertificates(secret, keys.roots));
  const between = readText(secret, keys.chain) ? readCertificates(secret, keys.chain) : [];
  const own = readCertificates(secret, keys.certificate);
  const chain = chainOf(signing.certificate, [...own, ...between], anchors, { secret, keys, now });
  return { signing, chain, origin, anchors };
}

/** TLS's verifiers (OpenSSL, and BoringSSL in Envoy) want the uses of an end certificate of every one above it, the root included, where that names any. */
function checkUses(certificate: X509Certificate, field: string): void {
  // By this name Node.js gives the extended ones.
  const uses: readonly string[] | undefined = certificate.keyUsage;
  if (uses === undefined || (uses.includes(SERVER_AUTH) && uses.includes(CLIENT_AUTH))) return;
  throw new Error(
    `${field} is limited to other uses than serverAuth and clientAuth; issue it with both, or without extended key usages`,
  );
}

function checkValidity(certificate: X509Certificate, field: string, now: number): void {
  const { validFromDate, validToDate } = certificate;
  if (validToDate.getTime() <= now) {
    throw new RootProblem('Expired', `${field} expired at ${validToDate.toISOString()}; renew it`);
  }
  if (validFromDate.getTime() > now) {
    const from = validFromDate.toISOString();
    const message = `${field} is valid from ${from} on only; check this node's clock`;
    throw new RootProblem('ClockOff', message, validFromDate.getTime());
  }
}

const isIn = (certificates: readonly X509Certificate[], wanted: X509Certificate): boolean =>
  certificates.some((certificate) => certificate.fingerprint256 === wanted.fingerprint256);

interface ChainPlace {
  readonly secret: CaSecret;
  readonly keys: CaKeys;
  readonly now: number;
}

/** The certificates from the signing one up to, but without, the root that ends the chain. */
function chainOf(
  signing: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  { secret, keys, now }: ChainPlace,
): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current = signing;
  while (!isIn(roots, current)) {
    if (chain.length > 8) throw new Error(`${fieldName(secret, keys.chain)} is longer than 8 certificates; shorten it`);
    checkUses(current, fieldName(secret, `a certificate of ${keys.chain}`));
    checkValidity(current, fieldName(secret, `a certificate of ${keys.chain}`), now);
    chain.push(current);
    const child = current;
    const issues = (parent: X509Certificate) => child.checkIssued(parent) && child.verify(parent.publicKey);
    const parent = roots.find(issues) ?? between.find((candidate) => !isIn(chain, candidate) && issues(candidate));
    if (!parent) {
      const field = fieldName(secret, keys.chain);
      throw new Error(
        `${field} does not lead from ${keys.certificate} to ${keys.roots}; add the certificates between them`,
      );
    }
    current = parent;
  }
  checkUses(current, fieldName(secret, keys.roots));
  checkValidity(current, fieldName(secret, keys.roots), now);
  return chain;
}
