import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { joinCertificates, shortFingerprint } from './pem.ts';
import { abortRotation, advance, beginRotation, canAbort, firstState, newRoot, rotationStep } from './root-rotation.ts';
import { anchorOf, type RootState, type SigningRoot } from './root-state.ts';
import { trustVersion } from './secret-resource.ts';
import { SHORT } from './testing/chain.ts';
import { type ProxyTrust, surveyTrust } from './trust-survey.ts';

const now = Date.now();
const { workloadMs } = SHORT;
const ROOTS = 6;
let roots: SigningRoot[];
beforeAll(async () => {
  // Lives longer than any walk, but for one that is to be near its end.
  const lifetimes = { ...SHORT, rootMs: 3_600_000 };
  roots = await Promise.all(Array.from({ length: ROOTS }, () => newRoot(lifetimes, now)));
});

const rootAt = (index: number): SigningRoot => roots[index] as SigningRoot;

/** What a proxy holds. */
interface Proxy {
  bundle: readonly string[];
  version: string;
  signer: string;
  anchor: string;
  expiresAt: number;
  connected: boolean;
  /** When it last had a stream, where it has none. */
  seenAt: number;
}

/** A mesh in which anything may happen in any order. */
class Walk {
  state: RootState = firstState(rootAt(0), now);
  time = now;
  readonly proxies: Proxy[] = [];
  #used = 0;

  constructor(count: number) {
    for (let index = 0; index < count; index++)
      this.proxies.push({ ...this.#bundle(), ...this.#certificate(), connected: true, seenAt: 0 });
  }

  /** Every certificate in use is trusted by every proxy that can use its own. */
  check(): void {
    const alive = this.proxies.filter(({ expiresAt }) => expiresAt > this.time);
    for (const one of alive) for (const other of alive) expect(other.bundle).toContain(one.anchor);
  }

  act(kind: number, which: number): void {
    const proxy = this.proxies[which % this.proxies.length] as Proxy;
    const isExpired = proxy.expiresAt <= this.time;
    if (kind === 0) this.time += (which % 4) * 400;
    // Who comes back with nothing that is valid is given both in one answer.
    if ((kind === 1 || kind === 2) && proxy.connected && isExpired)
      Object.assign(proxy, this.#bundle(), this.#certificate());
    if (kind === 1 && proxy.connected) Object.assign(proxy, this.#bundle());
    if (kind === 2 && proxy.connected) Object.assign(proxy, this.#certificate());
    if (kind === 3) Object.assign(proxy, { connected: !proxy.connected, seenAt: this.time });
    if (kind === 4 && this.state.phase === 'Stable' && this.#used < ROOTS - 1) {
      this.state = beginRotation(this.state, rootAt(++this.#used), this.time);
    }
    if (kind === 5 && which % 5 === 0 && canAbort(this.state)) this.state = abortRotation(this.state, this.time);
    if (kind >= 6 && this.state.phase !== 'Stable') this.#lead();
  }

  #lead(): void {
    const { phase, roots: trusted } = this.state;
    const wanted = { bundle: trustVersion(joinCertificates(trusted)), generation: this.#certificate().signer };
    const list = this.proxies.map(
      ({ connected, version, signer }, index): ProxyTrust => ({
        pod: String(index),
        connected,
        bundle: version,
        generation: signer,
      }),
    );
    const missingSince = Math.max(0, ...this.proxies.map(({ connected, seenAt }) => (connected ? 0 : seenAt)));
    const survey = surveyTrust(phase, wanted, list, true, missingSince);
    const found = rotationStep(this.state, SHORT, survey, this.time);
    if (found.kind === 'go') this.state = advance(this.state, this.time);
  }

  #bundle(): Pick<Proxy, 'bundle' | 'version'> {
    const { roots: trusted } = this.state;
    return { bundle: trusted.map((root) => root.fingerprint256), version: trustVersion(joinCertificates(trusted)) };
  }

  #certificate(): Pick<Proxy, 'signer' | 'anchor' | 'expiresAt'> {
    const signer = shortFingerprint(this.state.signing.certificate);
    return { signer, anchor: anchorOf(this.state).fingerprint256, expiresAt: this.time + workloadMs };
  }
}

describe('rotation of the root', () => {
  test('in whatever order proxies acknowledge, come and go, nobody holds a certificate that another does not trust', () => {
    const actions = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.nat(19)), { minLength: 30, maxLength: 400 });
    const phases = new Set<string>();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), actions, (count, walk) => {
        const mesh = new Walk(count);
        for (const [kind, which] of walk) {
          mesh.act(kind, which);
          phases.add(mesh.state.phase);
          mesh.check();
        }
      }),
      { numRuns: 150 },
    );
    // Walks that never get anywhere would show nothing.
    expect([...phases].sort()).toEqual(['Aborting', 'Distributing', 'Issuing', 'Retiring', 'Stable']);
  });
});
