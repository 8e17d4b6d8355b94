import type { CertificateAuthority, IssuedCertificate } from '../../../operator/certificates/authority.ts';
import { trustVersion } from '../../../operator/certificates/secret-resource.ts';
import { handshake } from '../../../operator/certificates/testing/handshake.ts';
import type { ProxyTrust, ProxyTrustSource } from '../../../operator/certificates/trust-survey.ts';

const WORKLOAD = { names: [{ uri: 'spiffe://cluster.local/ns/a/sa/a' }], usage: ['serverAuth', 'clientAuth'] } as const;

/** Who held the bundle before a change has heard of it after so long: less than the propagation that the authority must wait for at least. */
const HEARD_MS = 500;

/** What the proxies of a mesh may hold: all certificates that were issued to them and live, and the bundles that somebody has still. */
export class HeldTrust {
  readonly #authority: CertificateAuthority;
  readonly #workloadMs: number;
  readonly #issued: IssuedCertificate[] = [];
  /** Until when a bundle (PEM) may be held, by `performance.now()`. */
  readonly #bundles: Map<string, number>;
  readonly #end: () => void;

  /** @param workloadMs how long their certificates live */
  constructor(authority: CertificateAuthority, workloadMs: number) {
    this.#authority = authority;
    this.#workloadMs = workloadMs;
    this.#bundles = new Map([[authority.trustBundle, Number.POSITIVE_INFINITY]]);
    // Noted as it happens: who looked only now and then would think old bundles alive for longer on a busy machine.
    this.#end = authority.onChange(() => {
      const until = performance.now() + HEARD_MS;
      for (const [pem, old] of this.#bundles) this.#bundles.set(pem, Math.min(old, until));
      this.#bundles.set(authority.trustBundle, Number.POSITIVE_INFINITY);
    });
  }

  /** Reports them to a rotation. @param held asked each time, as it may be there later than the source */
  static proxies(held: () => HeldTrust | undefined): ProxyTrustSource {
    return {
      proxies: () => held()?.reported() ?? [],
      whole: () => true,
      onChange: (listener) => {
        const timer = setInterval(listener, 20);
        return () => clearInterval(timer);
      },
    };
  }

  /** As many proxies as there are certificates in use and bundles that somebody has still: the worst that could be reported. */
  *reported(): Iterable<ProxyTrust> {
    const held = [...this.#bundles.keys()].filter((pem) => this.#isHeld(pem)).map(trustVersion);
    for (const { generation } of this.#issued.filter(isAlive)) {
      for (const bundle of held) yield { pod: 'shop/any', connected: true, generation, bundle };
    }
    if (this.#issued.length > 0) return;
    yield { pod: 'shop/new', connected: true, bundle: trustVersion(this.#authority.trustBundle) };
  }

  /**
   * A certificate may be as old as its life, and a bundle as its propagation. Every pair shakes hands, both ways, until told to stop.
   * @returns how many handshakes came about
   * @throws {Error} of the first that was refused though all that was shown was held
   */
  async shakeUntil(isOver: () => boolean): Promise<number> {
    let shaken = 0;
    while (!isOver()) {
      this.#issued.push(await this.#authority.issue({ ...WORKLOAD, lifetimeMs: this.#workloadMs }));
      // The oldest and the newest of each signer are enough: those between are like them.
      const bySigner = Map.groupBy(this.#issued.filter(isAlive), ({ generation }) => generation);
      const held = [...bySigner.values()].flatMap((group) => [
        group[0] as IssuedCertificate,
        group.at(-1) as IssuedCertificate,
      ]);
      for (const roots of [...this.#bundles.keys()]) {
        for (const one of held) for (const other of held) shaken += await this.#shake(one, other, roots);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return shaken;
  }

  end(): void {
    this.#end();
  }

  #isHeld(bundle: string): boolean {
    return (this.#bundles.get(bundle) ?? 0) > performance.now();
  }

  /** Gives 1 for a handshake that came about. A refusal counts while all that was shown is still held: a handshake takes its time, and what expired in it may be refused. */
  async #shake(one: IssuedCertificate, other: IssuedCertificate, roots: string): Promise<0 | 1> {
    const counts = () => this.#isHeld(roots) && isAlive(one) && isAlive(other);
    if (!counts()) return 0;
    try {
      await handshake(one, other, roots);
      return 1;
    } catch (error) {
      if (counts()) throw error;
      return 0;
    }
  }
}

function isAlive({ expiresAt }: IssuedCertificate): boolean {
  return expiresAt > Date.now();
}
