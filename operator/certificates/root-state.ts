import type { X509Certificate } from 'node:crypto';
import type { ObjectMeta } from '../../kube/object.ts';
import type { Issuer } from './certificate.ts';
import { privateKeyPem, signatureAlgorithm } from './key-pair.ts';
import { distinctCertificates, joinCertificates, parseCertificates, parsePrivateKey } from './pem.ts';

/** Secret with the root that the operator made. */
export const CA_SECRET = 'heddle-ca';
/** Secret with the user's own CA, in Istio's format; goes before ours. */
export const USER_CA_SECRET = 'cacerts';

export const PHASE_ANNOTATION = 'heddle.dev/rotation-phase';
export const SINCE_ANNOTATION = 'heddle.dev/rotation-since';
/** Any value on the Secret `heddle-ca` begins a rotation; the operator takes it away. */
export const ROTATE_ANNOTATION = 'heddle.dev/rotate-root';

/** Stable: one root. Distributing: the new root is trusted, the old one signs. Retiring: the new one signs, both are trusted. */
export type RotationPhase = 'Stable' | 'Distributing' | 'Retiring';

/** All that signing and trusting rest on. */
export interface RootState {
  readonly signing: Issuer;
  /** Certificates between an end certificate and the root, to be sent after it. */
  readonly chain: readonly X509Certificate[];
  /** True for the user's CA: it signs end certificates itself, as it may forbid a further intermediate. */
  readonly signsDirectly: boolean;
  /** Roots to be trusted. */
  readonly roots: readonly X509Certificate[];
  /** The new root, while Distributing. */
  readonly next?: Issuer;
  readonly phase: RotationPhase;
  /** When the phase began, milliseconds since 1970. */
  readonly since: number;
}

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

  constructor(reason: RootProblem['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const KEY = {
  certificate: 'ca-cert.pem',
  key: 'ca-key.pem',
  chain: 'cert-chain.pem',
  roots: 'root-cert.pem',
  nextCertificate: 'next-ca-cert.pem',
  nextKey: 'next-ca-key.pem',
} as const;

/**
 * Reads the Secret `heddle-ca`.
 * @param now milliseconds since 1970
 * @throws {RootProblem} naming the key of the Secret that is missing, malformed or expired
 */
export function readOwnRoot(secret: CaSecret, now: number): RootState {
  return guarded(() => {
    const signing = readIssuer(secret, KEY.certificate, KEY.key, now);
    const roots = readText(secret, KEY.roots) ? readCertificates(secret, KEY.roots) : [];
    const trusted = distinctCertificates([
      ...roots.filter((root) => root.validToDate.getTime() > now),
      signing.certificate,
    ]);
    const annotations = secret.metadata.annotations ?? {};
    const state: RootState = {
      signing,
      chain: [],
      signsDirectly: false,
      roots: trusted,
      phase: annotations[PHASE_ANNOTATION] === 'Retiring' ? 'Retiring' : 'Stable',
      since: readSince(annotations[SINCE_ANNOTATION], now),
    };
    if (annotations[PHASE_ANNOTATION] !== 'Distributing') return state;
    const next = readIssuer(secret, KEY.nextCertificate, KEY.nextKey, now);
    return { ...state, phase: 'Distributing', next, roots: distinctCertificates([...trusted, next.certificate]) };
  });
}

/** Reads the Secret `cacerts`, and checks the whole chain up to one of its roots; throws as `readOwnRoot`. */
export function readUserRoot(secret: CaSecret, now: number): RootState {
  return guarded(() => {
    const signing = readIssuer(secret, KEY.certificate, KEY.key, now);
    const roots = readCertificates(secret, KEY.roots);
    const between = readText(secret, KEY.chain) ? readCertificates(secret, KEY.chain) : [];
    const own = readCertificates(secret, KEY.certificate);
    const chain = chainOf(signing.certificate, [...own, ...between], roots, now);
    const state = { signing, chain, signsDirectly: true, roots: distinctCertificates(roots) };
    return { ...state, phase: 'Stable', since: 0 };
  });
}

/** The Secret's content for a state: `data` in base64 and the annotations of the phase. */
export function renderRoot(state: RootState): Pick<CaSecret, 'data'> & { annotations: Record<string, string> } {
  const text: Record<string, string> = {
    [KEY.certificate]: state.signing.certificate.toString(),
    [KEY.key]: privateKeyPem(state.signing.privateKey),
    [KEY.chain]: joinCertificates(state.chain),
    [KEY.roots]: joinCertificates(state.roots),
  };
  if (state.next) {
    text[KEY.nextCertificate] = state.next.certificate.toString();
    text[KEY.nextKey] = privateKeyPem(state.next.privateKey);
  }
  const data = Object.fromEntries(
    Object.entries(text).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const since = new Date(state.since).toISOString();
  return { data, annotations: { [PHASE_ANNOTATION]: state.phase, [SINCE_ANNOTATION]: since } };
}

/** Roots of a broken Secret that can still be trusted, so that what they signed goes on being accepted. */
export function salvageRoots(secret: CaSecret, now: number): X509Certificate[] {
  const found: X509Certificate[] = [];
  for (const key of [KEY.roots, KEY.certificate]) {
    try {
      found.push(...readCertificates(secret, key));
    } catch {
      // Broken, which is why we are here.
    }
  }
  return distinctCertificates(
    found.filter((root) => root.ca && root.validToDate.getTime() > now && isSelfSigned(root)),
  );
}

const isSelfSigned = (certificate: X509Certificate): boolean =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

function guarded(read: () => RootState): RootState {
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

function readText(secret: CaSecret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
}

function readCertificates(secret: CaSecret, key: string): X509Certificate[] {
  return parseCertificates(readText(secret, key), fieldName(secret, key));
}

function readIssuer(secret: CaSecret, certificateKey: string, privateKey: string, now: number): Issuer {
  const field = fieldName(secret, certificateKey);
  const [certificate] = readCertificates(secret, certificateKey);
  if (!certificate) throw new Error(`${field} holds no certificate`);
  const key = parsePrivateKey(readText(secret, privateKey), fieldName(secret, privateKey));
  if (!certificate.ca) throw new Error(`${field} is no CA certificate`);
  if (!certificate.checkPrivateKey(key)) throw new Error(`${field} and ${privateKey} do not belong together`);
  signatureAlgorithm(key);
  checkValidity(certificate, field, now);
  return { certificate, privateKey: key };
}

function checkValidity(certificate: X509Certificate, field: string, now: number): void {
  const { validFromDate, validToDate } = certificate;
  if (validToDate.getTime() <= now) {
    throw new RootProblem('Expired', `${field} expired at ${validToDate.toISOString()}`);
  }
  if (validFromDate.getTime() > now) {
    const from = validFromDate.toISOString();
    throw new RootProblem('ClockOff', `${field} is valid from ${from} on only; check this node's clock`);
  }
}

const isIn = (certificates: readonly X509Certificate[], wanted: X509Certificate): boolean =>
  certificates.some((certificate) => certificate.fingerprint256 === wanted.fingerprint256);

/** The certificates from the signing one up to, but without, the root that ends the chain. */
function chainOf(
  signing: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  now: number,
): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let current = signing;
  while (!isIn(roots, current)) {
    if (chain.length > 8) throw new Error('Secret cacerts: cert-chain.pem is longer than 8 certificates');
    checkValidity(current, 'Secret cacerts: a certificate of the chain', now);
    chain.push(current);
    const child = current;
    const issues = (parent: X509Certificate) => child.checkIssued(parent) && child.verify(parent.publicKey);
    const parent = roots.find(issues) ?? between.find((candidate) => !isIn(chain, candidate) && issues(candidate));
    if (!parent) throw new Error('Secret cacerts: cert-chain.pem does not lead from ca-cert.pem to root-cert.pem');
    current = parent;
  }
  checkValidity(current, 'Secret cacerts: root-cert.pem', now);
  return chain;
}

function readSince(text: string | undefined, now: number): number {
  const since = Date.parse(text ?? '');
  // Unreadable or in the future: wait the whole phase again rather than cut it short.
  return Number.isNaN(since) ? now : Math.min(since, now);
}
