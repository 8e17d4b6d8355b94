import { type Lifetimes, rotationMarginMs } from './lifetimes.ts';
import { joinCertificates } from './pem.ts';
import {
  anchorOf,
  expiryOf,
  fingerprintOf,
  isSameSigner,
  lifeOf,
  type RootState,
  type SigningRoot,
} from './root-state.ts';

/** What a stable mesh does about its root without being asked. */
export type Cause =
  | { readonly kind: 'none'; readonly ms: number }
  /** The signer changes under roots that all proxies trust already. */
  | { readonly kind: 'replace'; readonly root: SigningRoot }
  | { readonly kind: 'rotate'; readonly reason: 'RootExpires' | 'UserRootChanged' }
  /** It nears its end, and only the user can replace it. */
  | { readonly kind: 'warn'; readonly leftMs: number };

const DAY_MS = 86_400_000;

/** With less than this left of its life a root is to be replaced; milliseconds. */
export function marginMs(root: SigningRoot, lifetimes: Lifetimes): number {
  if (root.origin === 'Heddle') return rotationMarginMs(lifetimes);
  // What keeps a user's CA renews it earlier than this; a short life must not mean a warning from its first day on.
  return Math.min(30 * DAY_MS, lifeOf(root) / 5);
}

/**
 * Looks for a reason to change the root.
 * @param state Stable
 * @param user what the Secret `cacerts` holds; undefined where there is none, or none that is valid
 * @param keptByUser whether the Secret is there, whatever it holds
 * @param now milliseconds since 1970
 */
export function rotationCause(
  state: RootState,
  user: SigningRoot | undefined,
  keptByUser: boolean,
  lifetimes: Lifetimes,
  now: number,
): Cause {
  if (user && differs(user, state) && fingerprintOf(user) !== state.declined) {
    const root = signerUnderTrustedRoots(state, user);
    return root ? { kind: 'replace', root } : { kind: 'rotate', reason: 'UserRootChanged' };
  }
  const leftMs = expiryOf(state) - now;
  const ms = leftMs - marginMs(state, lifetimes);
  if (ms > 0) return { kind: 'none', ms };
  if (keptByUser && state.origin === 'cacerts') return { kind: 'warn', leftMs };
  // Somebody who aborted one is not overruled before time presses.
  const mustGoOn =
    leftMs < Math.max(marginMs(state, lifetimes) / 2, 2 * (lifetimes.workloadMs + lifetimes.propagationMs));
  if (state.declined === fingerprintOf(state) && !mustGoOn) return { kind: 'warn', leftMs };
  return { kind: 'rotate', reason: 'RootExpires' };
}

function differs(user: SigningRoot, state: SigningRoot): boolean {
  if (!isSameSigner(user, state)) return true;
  const above = ({ chain, anchors }: SigningRoot) => [chain, anchors].map(joinCertificates).join('\n');
  return above(user) !== above(state);
}

/** The user's signer, if everybody trusts the root above it already, and goes on trusting the one above the present signer. */
function signerUnderTrustedRoots(state: RootState, user: SigningRoot): SigningRoot | undefined {
  const has = (roots: readonly { fingerprint256: string }[], root: { fingerprint256: string }) =>
    roots.some(({ fingerprint256 }) => fingerprint256 === root.fingerprint256);
  return has(state.roots, anchorOf(user)) && has(user.anchors, anchorOf(state)) ? user : undefined;
}
