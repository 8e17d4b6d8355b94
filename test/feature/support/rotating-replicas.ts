import type { TrustRotation } from '../../../api/trust-rotation.ts';
import { SECRET, TRUST_ROTATION } from '../../../kube/kinds.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import type { CaSecret } from '../../../operator/certificates/ca-secret.ts';
import { CA_SECRET, salvageRoots } from '../../../operator/certificates/root-secret.ts';
import { ask } from '../../../operator/certificates/testing/leader.ts';
import type { ResourceSource } from '../../../operator/xds/resource.ts';
import { makeToken, nodeIdOf, type TestPod } from './ads-harness.ts';
import { startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { startBackend } from './load.ts';
import { type ReplicaWorld, RotatingReplica } from './rotating-replica.ts';
import { ServiceFront } from './service-front.ts';
import { tlsPair } from './tls-pair.ts';

/** Two replicas of the operator behind one port, one of which leads, and two real Envoys with mTLS between them. */
export class RotatingReplicas implements ReplicaWorld {
  readonly api = new MemoryApi();
  readonly pods: TestPod[] = ['server', 'caller'].map(podOf);
  readonly replicaPods = new Map<string, TestPod>();
  /** A phase that does not end. */
  heldAt: string | undefined;
  /** Fingerprints of all roots that were ever written down. */
  readonly roots = new Set<string>();
  /** Of loopback, where the caller takes requests in plaintext. */
  port = 0;
  readonly #front = new ServiceFront();
  readonly #ends: (() => unknown)[] = [];
  #source: ResourceSource | undefined;
  #replicas: readonly RotatingReplica[] = [];
  #count = 0;

  async start(): Promise<void> {
    const secrets = new Reflector<CaSecret>({ api: this.api, kind: SECRET, backoffMs: [1, 5] });
    secrets.store.onChange(({ object }) => {
      if (object?.metadata.name !== CA_SECRET) return;
      for (const root of salvageRoots(object, Date.now())) this.roots.add(root.fingerprint256);
    });
    await secrets.start();
    this.#ends.push(() => secrets.stop());
    const backend = await startBackend('app');
    this.#ends.push(() => backend.close());
    this.port = await freePort();
    this.#source = tlsPair(this.port, await freePort(), backend.port);
    const adsPort = await this.#front.start();
    this.#ends.push(() => this.#front.stop());
    await this.#add();
    await this.#add();
    this.#ends.push(() => Promise.all(this.#replicas.map((one) => one.kill())));
    for (const pod of this.pods) {
      const rootPem = this.#replicas[0]?.harness.rootPem ?? '';
      const envoy = await startEnvoy({ nodeId: nodeIdOf(pod), token: pod.token, adsPort, rootPem });
      this.#ends.push(() => envoy.stop());
    }
    await this.until('an answer', async () => {
      return (await fetch(`http://127.0.0.1:${this.port}`).catch(() => undefined))?.status === 200;
    });
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  get source(): ResourceSource {
    if (this.#source === undefined) throw new Error('it has not started');
    return this.#source;
  }

  isHeld(phase: string | undefined): boolean {
    return this.heldAt !== undefined && phase === this.heldAt;
  }

  others(self: RotatingReplica): readonly RotatingReplica[] {
    return this.#replicas.filter((one) => one !== self);
  }

  /** Streams that each replica has. */
  streams(): number[] {
    return this.#replicas.map(({ harness }) => harness.server.connected);
  }

  async rotate(name: string): Promise<void> {
    await ask(this.api, name);
  }

  /** Waits until a rotation says that it is in a phase. @returns fingerprint of the root that comes */
  async reaches(name: string, phase: string): Promise<string> {
    let found: TrustRotation | undefined;
    await this.until(`${name} in ${phase}`, async () => {
      found = await this.api.get<TrustRotation>(TRUST_ROTATION, { name });
      return found.status?.phase === phase;
    });
    return found?.status?.newRoot?.fingerprint ?? '';
  }

  /** Kills who leads, waits until the other does, and puts a new one in place of the dead. */
  async killLeader(): Promise<void> {
    await this.until('a leader', () => this.#replicas.some(({ leads }) => leads));
    const dead = this.#replicas.find(({ leads }) => leads);
    if (dead === undefined) throw new Error('nobody leads');
    this.#join(this.others(dead));
    await dead.kill();
    await this.until('another leader', () => this.#replicas.some(({ leads }) => leads));
    await this.#add();
  }

  /** @throws {Error} after a minute */
  async until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
    for (const end = performance.now() + 60_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${what} did not come about`);
  }

  async #add(): Promise<void> {
    this.#join([...this.#replicas, await RotatingReplica.start(`operator-${++this.#count}`, this)]);
  }

  #join(replicas: readonly RotatingReplica[]): void {
    this.#replicas = replicas;
    for (const one of replicas) one.tell(this.others(one));
    this.#front.set(replicas.map(({ harness }) => harness.port));
  }
}

function podOf(name: string, index: number): TestPod {
  const uid = `uid-${name}`;
  const ips = [`10.0.0.${index + 1}`];
  return { uid, name, namespace: 'shop', serviceAccount: 'default', ips, token: makeToken(uid, 3_600_000) };
}
