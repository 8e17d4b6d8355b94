import type { X509Certificate } from 'node:crypto';
import { type Issuer, makeRoot } from './certificate.ts';
import { keyIdentifier } from './extensions.ts';
import { makeKeyPair } from './key-pair.ts';
import { type Lifetimes, rotationMarginMs } from './lifetimes.ts';
import type { RootState } from './root-state.ts';

/** What a rotation does next. */
export type RotationStep =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'switch' }
  | { readonly kind: 'finish' };

/**
 * Decides the next step of a root's rotation.
 * @param requested whether the rotate annotation is there
 * @param now milliseconds since 1970
 */
export function rotationStep(state: RootState, lifetimes: Lifetimes, requested: boolean, now: number): RotationStep {
  const waited = now - state.since;
  if (state.phase === 'Distributing') {
    const ms = lifetimes.propagationMs - waited;
    return ms > 0 ? { kind: 'wait', ms } : { kind: 'switch' };
  }
  if (state.phase === 'Retiring') {
    // Until the last certificate under the old root has expired, also one of a replica that was late to switch.
    const ms = lifetimes.workloadMs + lifetimes.propagationMs - waited;
    return ms > 0 ? { kind: 'wait', ms } : { kind: 'finish' };
  }
  const ms = state.signing.certificate.validToDate.getTime() - rotationMarginMs(lifetimes) - now;
  return requested || ms <= 0 ? { kind: 'begin' } : { kind: 'wait', ms };
}

/** Makes a new root with its key. */
export async function newRoot(lifetimes: Lifetimes, now: number): Promise<Issuer> {
  const { publicKey, privateKey } = await makeKeyPair();
  // A name of its own, so that verifiers that build chains by name find the right root at once.
  const commonName = `Heddle root ${keyIdentifier(publicKey).toString('hex').slice(0, 12)}`;
  const validity = { notBefore: now - lifetimes.backdateMs, notAfter: now + lifetimes.rootMs };
  return { certificate: await makeRoot({ ...validity, commonName, publicKey }, privateKey), privateKey };
}

/** The state of a mesh that begins. */
export function firstState(root: Issuer, now: number): RootState {
  return { signing: root, chain: [], signsDirectly: false, roots: [root.certificate], phase: 'Stable', since: now };
}

/** Trusts a new root; the old one goes on signing. */
export function beginRotation(state: RootState, next: Issuer, now: number): RootState {
  return { ...state, next, roots: [...state.roots, next.certificate], phase: 'Distributing', since: now };
}

/** Lets the new root sign; the old one stays trusted. */
export function switchRoot({ next, ...state }: RootState, now: number): RootState {
  if (!next) throw new Error('there is no next root to switch to');
  return { ...state, signing: next, phase: 'Retiring', since: now };
}

/** Trusts the signing root alone. */
export function finishRotation(state: RootState, now: number): RootState {
  return { ...state, roots: [state.signing.certificate], phase: 'Stable', since: now };
}

/**
 * Replaces a root whose key is lost: the new one signs at once, and what is left of the old ones stays trusted until
 * all that they signed has expired.
 */
export function replaceLostRoot(root: Issuer, salvaged: readonly X509Certificate[], now: number): RootState {
  const phase = salvaged.length > 0 ? 'Retiring' : 'Stable';
  return { ...firstState(root, now), roots: [...salvaged, root.certificate], phase };
}
