import type { X509Certificate } from 'node:crypto';
import type { Lifetimes } from './lifetimes.ts';
import { distinctCertificates } from './pem.ts';
import type { RootState } from './root-state.ts';

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
 * Leads from one root to the next where no rotation does: from ours to the user's, back, or from one CA of the user's
 * to another. The new root is trusted for as long as trust takes to reach every proxy before it signs, and a root that
 * signed is trusted until the last certificate under it has expired. Keeps what it has seen in memory; has no clock.
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
    if (previous && signer === wanted && isOther(previous, wanted)) {
      const root = anchorOf(previous);
      // The other replicas switched in a rotation when its phase began, however late we read of it.
      const until = isRotation(previous, wanted) ? Math.min(wanted.since, now) : now;
      this.#retired.set(root.fingerprint256, { root, until });
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
    if (!isOther(previous, wanted) || isRotation(previous, wanted)) return now;
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

const fingerprint = (state: RootState): string => state.signing.certificate.fingerprint256;

const isOther = (one: RootState, other: RootState): boolean => fingerprint(one) !== fingerprint(other);

const isRotation = (previous: RootState, wanted: RootState): boolean =>
  !wanted.signsDirectly && previous.next?.certificate.fingerprint256 === fingerprint(wanted);

/** The root that ends the signer's chain. */
function anchorOf({ signing, chain, roots }: RootState): X509Certificate {
  const last = chain.at(-1) ?? signing.certificate;
  const isAbove = (root: X509Certificate) => last.checkIssued(root) && last.verify(root.publicKey);
  return roots.find((root) => root.fingerprint256 === last.fingerprint256) ?? roots.find(isAbove) ?? last;
}

const expiryOf = (state: RootState): number =>
  Math.min(
    ...[state.signing.certificate, ...state.chain, anchorOf(state)].map((certificate) =>
      certificate.validToDate.getTime(),
    ),
  );
