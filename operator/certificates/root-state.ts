import type { X509Certificate } from 'node:crypto';
import type { Issuer } from './certificate.ts';
import { distinctCertificates } from './pem.ts';

/** Whose a root is: made by the operator, or given by the user in the Secret `cacerts`. */
export type RootOrigin = 'Heddle' | 'cacerts';

/**
 * Stable: one root. Distributing: the new root is trusted beside the old one, which signs. Issuing: the new one signs, both are trusted. Retiring: the
 * new one alone is trusted. Aborting: the old one signs again, both are trusted.
 */
export const ROTATION_PHASES = ['Stable', 'Distributing', 'Issuing', 'Retiring', 'Aborting'] as const;
export type RotationPhase = (typeof ROTATION_PHASES)[number];

/** A certificate that signs, and what stands above it. */
export interface SigningRoot {
  readonly signing: Issuer;
  /** Certificates between an end certificate and the root, to be sent after it. */
  readonly chain: readonly X509Certificate[];
  /** The user's CA signs end certificates itself, as it may forbid a further intermediate. */
  readonly origin: RootOrigin;
  /** Roots to be trusted when it signs. */
  readonly anchors: readonly X509Certificate[];
}

/** The TrustRotation that a rotation is shown by. */
export interface RotationRef {
  readonly name: string;
  readonly uid: string;
}

/** All that signing and trusting rest on. */
export interface RootState extends SigningRoot {
  /** All roots to be trusted. */
  readonly roots: readonly X509Certificate[];
  /** What signs next, while Distributing. */
  readonly next?: SigningRoot;
  /** What signed before, while Issuing or Aborting; absent when its key is lost. */
  readonly previous?: SigningRoot;
  /** Roots that are trusted still though nothing is left that they could sign with. */
  readonly retired: readonly X509Certificate[];
  readonly phase: RotationPhase;
  /** When the phase began, milliseconds since 1970. */
  readonly since: number;
  readonly rotation?: RotationRef;
  /** Fingerprint of what signed before the last rotation. */
  readonly cameFrom?: string;
  /** Fingerprint of a root that somebody aborted the rotation to, or from, and that is not rotated to again unasked. */
  readonly declined?: string;
}

/** A state with the roots that follow from its parts. */
export function withRoots(state: Omit<RootState, 'roots'>): RootState {
  const { previous, next, retired, anchors } = state;
  // The order is the same on every replica, and so the bundle's version is.
  const roots = [...retired, ...(previous?.anchors ?? []), ...anchors, ...(next?.anchors ?? [])];
  return { ...state, roots: distinctCertificates(roots) };
}

/** Names what signs; its certificates carry it in their version. */
export function fingerprintOf({ signing }: Pick<SigningRoot, 'signing'>): string {
  return signing.certificate.fingerprint256;
}

/** Whether two roots are of one signer. */
export function isSameSigner(one: Pick<SigningRoot, 'signing'>, other: Pick<SigningRoot, 'signing'>): boolean {
  return fingerprintOf(one) === fingerprintOf(other);
}

/** The root that ends the signer's chain. */
export function anchorOf({ signing, chain, anchors }: SigningRoot): X509Certificate {
  const last = chain.at(-1) ?? signing.certificate;
  const isAbove = (root: X509Certificate) => last.checkIssued(root) && last.verify(root.publicKey);
  return anchors.find((root) => root.fingerprint256 === last.fingerprint256) ?? anchors.find(isAbove) ?? last;
}

/** When the signer or anything above it expires first, milliseconds since 1970. */
export function expiryOf(root: SigningRoot): number {
  const certificates = [root.signing.certificate, ...root.chain, anchorOf(root)];
  return Math.min(...certificates.map((certificate) => certificate.validToDate.getTime()));
}

/** How long the signer lives from its first day to its last, milliseconds. */
export function lifeOf(root: SigningRoot): number {
  return expiryOf(root) - root.signing.certificate.validFromDate.getTime();
}
