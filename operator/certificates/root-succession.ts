import type { X509Certificate } from 'node:crypto';
import type { Lifetimes } from './lifetimes.ts';
import { distinctCertificates } from './pem.ts';
import { anchorOf, expiryOf, fingerprintOf, isSameSigner, type RootState } from './root-state.ts';

/** What to put to use now, and when to ask again at the latest; milliseconds since 1970, infinity for never. */
export interface Succession {
  readonly state: RootState;
  readonly reviewAt: number;
}

interface Signed {
  readonly root: X509Certificate;
  /** When it signed last, milliseconds since 1970. */
  readonly until: number;
}

/**
 * Leads from one root to the next where no rotation does, as when somebody writes another one into our Secret, or a lost
 * one is replaced. The new root is trusted for as long as trust takes to reach every proxy before it signs, and a root
 * that signed is trusted until the last certificate under it has expired. Keeps what it has seen in memory; has no clock.
 */
export class RootSuccession {
  readonly #lifetimes: Pick<Lifetimes, 'workloadMs' | 'propagationMs'>;
  #present: RootState | undefined;
  /** By fingerprint: since when a root has been trusted. */
  #trustedSince: ReadonlyMap<string, number> = new Map();
  /** By fingerprint: roots that sign no more. */
  readonly #retired = new Map<string, Signed>();

  constructor(lifetimes: Pick<Lifetimes, 'workloadMs' | 'propagationMs'>) {
    this.#lifetimes = lifetimes;
  }

  /**
   * @param wanted what the Secrets say
   * @param now milliseconds since 1970
   */
  next(wanted: RootState, now: number): Succession {
    const previous = this.#present;
    const signsAt = previous ? this.#signsAt(previous, wanted, now) : now;
    const signer = previous && signsAt > now ? previous : wanted;
    if (previous && signer === wanted && !isSameSigner(previous, wanted) && !isLed(previous, wanted)) {
      const root = anchorOf(previous);
      this.#retired.set(root.fingerprint256, { root, until: now });
    }
    this.#retired.delete(anchorOf(signer).fingerprint256);
    const retired = this.#trustedStill(now);
    const roots = distinctCertificates([
      ...wanted.roots,
      ...(signer === wanted ? [] : [anchorOf(signer)]),
      ...retired.map(({ root }) => root),
    ]);
    this.#trustedSince = new Map(
      roots.map(({ fingerprint256 }) => [fingerprint256, this.#trustedSince.get(fingerprint256) ?? now]),
    );
    this.#present = { ...signer, roots };
    const ends = retired.map((signed) => this.#endOf(signed));
    const reviewAt = Math.min(signsAt > now ? signsAt : Number.POSITIVE_INFINITY, ...ends);
    return { state: this.#present, reviewAt };
  }

  /** When the wanted root may sign: now in a rotation, which has waited itself, and when there is nothing left to sign with. */
  #signsAt(previous: RootState, wanted: RootState, now: number): number {
    if (isSameSigner(previous, wanted) || isLed(previous, wanted)) return now;
    const since = this.#trustedSince.get(anchorOf(wanted).fingerprint256) ?? now;
    return Math.min(since + this.#lifetimes.propagationMs, expiryOf(previous));
  }

  #trustedStill(now: number): Signed[] {
    for (const [fingerprint, signed] of this.#retired) {
      if (this.#endOf(signed) <= now) this.#retired.delete(fingerprint);
    }
    return [...this.#retired.values()];
  }

  #endOf({ root, until }: Signed): number {
    const { workloadMs, propagationMs } = this.#lifetimes;
    return Math.min(until + workloadMs + propagationMs, root.validToDate.getTime());
  }
}

/** Whether a rotation led from one root to the other: it waits itself, for what proxies say, and keeps trusted what has to be. */
function isLed(previous: RootState, wanted: RootState): boolean {
  const known = [previous.next, previous.previous].some((root) => root && isSameSigner(root, wanted));
  return known || wanted.cameFrom === fingerprintOf(previous);
}
