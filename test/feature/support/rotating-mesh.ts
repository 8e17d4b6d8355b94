import type { TrustRotation } from '../../../api/trust-rotation.ts';
import { TRUST_ROTATION } from '../../../kube/kinds.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import type { Certificates } from '../../../operator/certificates/start.ts';
import { ask, startLeader } from '../../../operator/certificates/testing/leader.ts';
import type { ProxyTrustSource } from '../../../operator/certificates/trust-survey.ts';
import type { Workload } from '../../../operator/mesh/snapshot.ts';
import { proxyTrust } from '../../../operator/wiring/proxy-trust.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Backend, startBackend } from './load.ts';
import { tlsPair } from './tls-pair.ts';

/**
 * Two real Envoys with the mesh's own TLS between them, a new connection for each request, and a real certificate authority whose root can be rotated. A
 * request that fails is not tried again.
 */
export class RotatingMesh {
  readonly api = new MemoryApi();
  /** While true no phase ends: a replica is said not to report. */
  held = false;
  readonly #ends: (() => unknown)[] = [];
  readonly #pods: TestPod[] = [];
  #certificates: Certificates | undefined;
  #harness: AdsHarness | undefined;
  /** Of loopback, where the caller takes requests in plaintext. */
  port = 0;

  async start(): Promise<void> {
    const certificates = await startLeader(this.api, this.#proxies(), this.#ends);
    this.#certificates = certificates;
    const backend: Backend = await startBackend('app');
    this.#ends.push(() => backend.close());
    const [callerPort, serverPort] = [await freePort(), await freePort()];
    this.port = callerPort;
    const pair = tlsPair(callerPort, serverPort, backend.port);
    const harness = await startHarness([pair, certificates.secrets]);
    this.#harness = harness;
    this.#ends.push(() => harness.stop());
    for (const name of ['server', 'caller']) await this.#startEnvoy(name, harness);
    await this.until(async () => (await fetch(`http://127.0.0.1:${this.port}`).catch(() => undefined))?.status === 200);
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  get certificates(): Certificates {
    if (this.#certificates === undefined) throw new Error('the mesh has not started');
    return this.#certificates;
  }

  /** Asks for a rotation. */
  async rotate(name: string): Promise<void> {
    await ask(this.api, name);
  }

  async abort(name: string): Promise<void> {
    await this.api.patch(TRUST_ROTATION, { name }, 'merge', { spec: { abort: true } });
  }

  /** Aborts a rotation that issues as soon as it retires, which it does not end before. */
  async abortWhenRetiring(name: string): Promise<void> {
    const { authority } = this.certificates;
    const end = authority.onChange(() => {
      if (authority.state?.phase === 'Retiring') this.held = true;
    });
    await this.until(() => authority.state?.phase === 'Retiring');
    end();
    await this.abort(name);
    await this.reaches(name, 'Retiring', 'spec.abort came too late');
    this.held = false;
  }

  /** Waits until a rotation is in a phase, with a status that says something. */
  async reaches(name: string, phase: string, says = ''): Promise<void> {
    await this.until(async () => {
      const { status } = await this.api.get<TrustRotation>(TRUST_ROTATION, { name });
      return status?.phase === phase && (status.conditions?.[0]?.message ?? '').includes(says);
    });
  }

  /** Which signers the certificates of the proxies are of, as these say. */
  generations(): string[] {
    return [...this.#proxies().proxies()].map(({ generation }) => generation ?? 'none');
  }

  /** @throws {Error} after half a minute */
  async until(holds: () => Promise<boolean> | boolean): Promise<void> {
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('it did not come about');
  }

  async #startEnvoy(name: string, harness: AdsHarness): Promise<void> {
    const pod = harness.addPod(name);
    this.#pods.push(pod);
    const { port: adsPort, rootPem } = harness;
    const envoy: EnvoyProcess = await startEnvoy({ nodeId: nodeIdOf(pod), token: pod.token, adsPort, rootPem });
    this.#ends.push(() => envoy.stop());
  }

  #proxies(): ProxyTrustSource {
    const acks = () => this.#harness?.server.acks ?? { proxy: () => undefined, onAck: () => () => {} };
    const workload = ({ uid, name, namespace }: TestPod) => ({ uid, name, namespace, proxyStarted: true }) as Workload;
    const source = proxyTrust({ workloads: () => this.#pods.map(workload), acks, hearsAll: () => !this.held });
    // The streams begin after the authority: what they tell is looked at now and then instead.
    const onChange = (listener: () => void) => {
      const timer = setInterval(listener, 20);
      return () => clearInterval(timer);
    };
    return { ...source, onChange };
  }
}
