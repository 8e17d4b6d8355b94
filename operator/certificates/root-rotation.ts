import type { X509Certificate } from 'node:crypto';
import { makeRoot } from './certificate.ts';
import { keyIdentifier } from './extensions.ts';
import { makeKeyPair } from './key-pair.ts';
import type { Lifetimes } from './lifetimes.ts';
import {
  expiryOf,
  fingerprintOf,
  type RootState,
  type RotationRef,
  type SigningRoot,
  withRoots,
} from './root-state.ts';
import type { TrustSurvey } from './trust-survey.ts';

/** What a rotation does next; `ms`: when to look again though nothing was heard. */
export type RotationStep =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'go'; readonly forced: boolean };

type RotationLifetimes = Pick<Lifetimes, 'workloadMs' | 'propagationMs'>;

/** After so long no certificate is valid any more that was issued before, also by a replica that was late to hear of it. */
function outlivedMs({ workloadMs, propagationMs }: RotationLifetimes): number {
  return workloadMs + propagationMs;
}

/**
 * Decides whether a phase of a rotation is over.
 * @param state in any phase but Stable
 * @param survey how far the proxies are with this phase
 * @param now milliseconds since 1970
 */
export function rotationStep(
  state: RootState,
  lifetimes: RotationLifetimes,
  survey: TrustSurvey,
  now: number,
): RotationStep {
  const { whole, waiting, refused, missing, missingSince } = survey;
  const waited = now - state.since;
  const outlived = outlivedMs(lifetimes) - waited;
  const least = leastMs(state, lifetimes) - waited;
  if (state.phase === 'Distributing') {
    // What comes back after so long has a certificate that nobody accepts, and is given all anew. It may have been given one until it left.
    const outlivedByMissing = Math.max(state.since, missingSince) + outlivedMs(lifetimes) - now;
    const held = !whole || waiting.length > 0 || refused.length > 0 || (missing.length > 0 && outlivedByMissing > 0);
    const force = expiryOf(state) - outlivedMs(lifetimes) - now;
    if (force <= 0 && held) return { kind: 'go', forced: true };
    if (least <= 0 && !held) return { kind: 'go', forced: false };
    return { kind: 'wait', ms: nearest(least, outlivedByMissing, force) };
  }
  // A proxy that is not there has what it had, but not longer than that lives; and it may trust more than it needs.
  const isHeldByMissing = state.phase !== 'Retiring' && missing.length > 0;
  const held = !whole || waiting.length > 0 || refused.length > 0 || isHeldByMissing;
  if (least <= 0 && (!held || outlived <= 0)) return { kind: 'go', forced: held };
  return { kind: 'wait', ms: nearest(least, outlived) };
}

/** How long a phase lasts at least: what the proxies' streams do not tell of are kubelets, and the certificates of the xDS port and the webhook. */
export function leastMs({ phase }: RootState, { propagationMs }: RotationLifetimes): number {
  if (phase === 'Distributing') return propagationMs;
  return phase === 'Retiring' ? 0 : 2 * propagationMs;
}

/** Looked at so often whatever is heard: that a replica reports again is told by nobody. */
const LOOK_MS = 5_000;

const nearest = (...left: number[]): number => Math.min(...left.filter((ms) => ms > 0), LOOK_MS);

/** Makes a new root with its key. */
export async function newRoot(lifetimes: Pick<Lifetimes, 'rootMs' | 'backdateMs'>, now: number): Promise<SigningRoot> {
  const { publicKey, privateKey } = await makeKeyPair();
  // A name of its own, so that verifiers that build chains by name find the right root at once.
  const commonName = `Heddle root ${keyIdentifier(publicKey).toString('hex').slice(0, 12)}`;
  const validity = { notBefore: now - lifetimes.backdateMs, notAfter: now + lifetimes.rootMs };
  const certificate = await makeRoot({ ...validity, commonName, publicKey }, privateKey);
  return { signing: { certificate, privateKey }, chain: [], origin: 'Heddle', anchors: [certificate] };
}

/** The state of a mesh that begins. */
export function firstState(root: SigningRoot, now: number): RootState {
  return withRoots({ ...root, retired: [], phase: 'Stable', since: now });
}

/** Trusts a new root; the old one goes on signing. */
export function beginRotation(state: RootState, next: SigningRoot, now: number, rotation?: RotationRef): RootState {
  const { previous: _previous, declined: _declined, rotation: _rotation, ...kept } = state;
  return withRoots({ ...kept, next, phase: 'Distributing', since: now, ...(rotation && { rotation }) });
}

/** Goes on to the next phase; after the last one to Stable. */
export function advance(state: RootState, now: number): RootState {
  const { next, previous: _previous, rotation, ...kept } = state;
  if (state.phase === 'Distributing') {
    if (!next) throw new Error('there is no next root to switch to');
    const cameFrom = fingerprintOf(state);
    const previous = partOf(state);
    return withRoots({ ...kept, ...next, previous, cameFrom, phase: 'Issuing', since: now, ...keep(rotation) });
  }
  if (state.phase === 'Issuing') {
    return withRoots({ ...kept, retired: [], phase: 'Retiring', since: now, ...keep(rotation) });
  }
  return withRoots({ ...kept, retired: [], phase: 'Stable', since: now });
}

/** Whether a rotation can go back: while all still trust the old root, and its key is there. */
export function canAbort({ phase, previous }: RootState): boolean {
  return phase === 'Distributing' || (phase === 'Issuing' && previous !== undefined);
}

/**
 * Goes back to the old root: at once where the new one has signed nothing yet, and in a phase of its own where certificates of the new one are in use.
 * @throws {Error} when it is too late
 */
export function abortRotation(state: RootState, now: number): RootState {
  const { next, previous, rotation, ...kept } = state;
  if (state.phase === 'Distributing' && next) {
    return withRoots({ ...kept, phase: 'Stable', since: now, declined: declinedBy(state, next) });
  }
  if (state.phase !== 'Issuing' || !previous) throw new Error('it is too late to go back');
  const declined = declinedBy(previous, state);
  return withRoots({
    ...kept,
    ...previous,
    previous: partOf(state),
    phase: 'Aborting',
    since: now,
    declined,
    ...keep(rotation),
  });
}

/** What is not to begin by itself again: the user's root that was come to, or ours that was left for its age. */
function declinedBy(old: SigningRoot, given: SigningRoot): string {
  return fingerprintOf(given.origin === 'cacerts' ? given : old);
}

/** Puts another signer under the roots that are trusted already, as when the user's intermediate is renewed. */
export function replaceSigner(state: RootState, root: SigningRoot, now: number): RootState {
  const { declined: _declined, ...kept } = state;
  return withRoots({ ...kept, ...root, since: now });
}

/**
 * Replaces a root whose key is lost: the new one signs at once, and what is left of the old ones stays trusted until all that they signed has expired.
 */
export function replaceLostRoot(root: SigningRoot, salvaged: readonly X509Certificate[], now: number): RootState {
  const phase = salvaged.length > 0 ? 'Issuing' : 'Stable';
  return withRoots({ ...root, retired: salvaged, phase, since: now });
}

function partOf({ signing, chain, origin, anchors }: SigningRoot): SigningRoot {
  return { signing, chain, origin, anchors };
}

const keep = (rotation: RotationRef | undefined) => (rotation === undefined ? {} : { rotation });
