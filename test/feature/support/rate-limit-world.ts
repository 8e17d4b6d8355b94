import type { Socket } from 'node:net';
import type { RateLimitPolicySpec } from '../../../api/rate-limit-policy.ts';
import type { RequestAuthenticationSpec } from '../../../api/request-authentication.ts';
import { translateTrustSecret } from '../../../operator/certificates/secret-resource.ts';
import { hasPolicy } from '../../../operator/mesh/authorization.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import {
  pod,
  rateLimitPolicy,
  requestAuthentication,
  SETTINGS,
  service,
} from '../../../operator/mesh/testing/objects.ts';
import type { Counters } from '../../../operator/ratelimit/counters.ts';
import { RATE_LIMIT_PATH, RateLimitService } from '../../../operator/ratelimit/rate-limit-service.ts';
import { TrafficLedger } from '../../../operator/telemetry/ledger.ts';
import { findRules } from '../../../operator/wiring/rate-limits.ts';
import { SECRET_TYPE } from '../../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { boundInbound, untilListening } from './bound-inbound.ts';
import { type EchoBackend, startEchoBackend } from './echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Answer, call } from './http-call.ts';
import { connectAs, Http1Line, type MeshCredentials, makeMeshCredentials } from './mesh-callers.ts';
import { MeshOnStream } from './mesh-on-stream.ts';
import { secret } from './mesh-resources.ts';
import { ResourceTable } from './resource-table.ts';

/** A Service of the workload and the policy about it. */
export interface LimitedService {
  readonly policy: Omit<RateLimitPolicySpec, 'targetRefs'>;
  readonly jwtRules?: NonNullable<RequestAuthenticationSpec['jwtRules']>;
  /** Where its bytes go instead of to an HTTP server, as TCP. */
  readonly tcpPort?: number;
}

/** Who asks what of which pod. */
export interface Question {
  /** Which of the pods, from 0. */
  readonly pod?: number;
  /** Default: in plaintext. */
  readonly principal?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

const CALLER = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };
const TRIES_MS = 30_000;

/** A workload of some pods, each a real Envoy on a real stream; each Service has a port and a policy of its own. */
export class RateLimitWorld {
  readonly ledger: TrafficLedger;
  readonly #services: Readonly<Record<string, LimitedService>>;
  readonly #mesh = new MeshOnStream(SETTINGS);
  readonly #backends = new Map<string, EchoBackend>();
  readonly #entrances: number[] = [];
  readonly #envoys: EnvoyProcess[] = [];
  readonly #secrets = new ResourceTable([SECRET_TYPE]);
  #credentials: MeshCredentials | undefined;
  #harness: AdsHarness | undefined;
  #pods: TestPod[] = [];

  private constructor(services: Readonly<Record<string, LimitedService>>) {
    this.#services = services;
    this.ledger = new TrafficLedger({
      workload: () => ({ namespace: 'shop', revision: '' }),
      stableRevision: () => undefined,
      isPolicyOf: (uid, policy) => hasPolicy(this.#mesh.snapshot.workloads.get(uid), policy),
    });
  }

  /** @param counters what the operator counts with */
  static async start(
    services: Readonly<Record<string, LimitedService>>,
    counters: Counters,
    { pods = 1, principals = [] as readonly string[] } = {},
  ): Promise<RateLimitWorld> {
    const world = new RateLimitWorld(services);
    await world.#start(counters, pods, principals);
    return world;
  }

  /** One request by a connection of its own. */
  async ask(name: string, question: Question = {}): Promise<Answer> {
    const { method = 'GET', path = '/', headers = {} } = question;
    const socket = await this.connect(name, question);
    try {
      return await call({
        method,
        path,
        headers: { host: 'shop.example', ...headers },
        createConnection: () => socket,
      });
    } finally {
      socket.destroy();
    }
  }

  /** Statuses of so many requests, one after the other. */
  async statuses(count: number, name: string, question: Question = {}): Promise<number[]> {
    const all: number[] = [];
    for (let n = 0; n < count; n++) all.push((await this.ask(name, question)).status);
    return all;
  }

  /** A connection for one request after the other. */
  async line(name: string, question: Question = {}): Promise<Http1Line> {
    return new Http1Line(await this.connect(name, question));
  }

  connect(name: string, { pod: index = 0, principal }: Question = {}): Promise<Socket> {
    const at = this.#entrances[index];
    if (at === undefined || this.#credentials === undefined) throw new Error('there is no such pod');
    const caller = { ...CALLER, ...(principal === undefined ? {} : { principal }) };
    return connectAs({ at, credentials: this.#credentials }, caller, this.#portOf(name));
  }

  /** The operator ends, something is done, and one with other counters comes. */
  async restartOperator(counters: Counters, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const harness = this.#harness;
    await harness?.stop();
    await meanwhile();
    await this.#serve(counters, harness?.port);
  }

  /** Asks all pods about a limit that fails closed until they are answered. */
  async untilAnswered(name: string): Promise<void> {
    for (const pod of this.#pods.keys()) {
      const end = performance.now() + TRIES_MS;
      while ((await this.ask(name, { pod })).status === 503) {
        if (performance.now() > end) throw new Error(`nobody is asked: ${this.#envoys[pod]?.log()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** What the sidecar of the first pod wrote. */
  log(): string {
    return this.#envoys[0]?.log() ?? '';
  }

  /** The admin interface of the sidecar of the first pod. */
  async admin(path: string): Promise<string> {
    return (await this.#envoys[0]?.admin(path)) ?? '';
  }

  async stop(): Promise<void> {
    await Promise.all(this.#envoys.map((envoy) => envoy.stop()));
    await this.#harness?.stop();
    for (const backend of this.#backends.values()) backend.close();
  }

  async #start(counters: Counters, pods: number, principals: readonly string[]): Promise<void> {
    this.#credentials = await makeMeshCredentials('cluster.local/ns/shop/sa/default', principals);
    const { workload, rootPem: meshRoot } = this.#credentials;
    this.#secrets.update([secret(WORKLOAD_SECRET, workload), translateTrustSecret(meshRoot)]);
    for (const [name, { tcpPort }] of Object.entries(this.#services)) {
      if (tcpPort === undefined) this.#backends.set(name, await startEchoBackend(name));
    }
    for (let n = 0; n < pods; n++) this.#entrances.push(await freePort());
    const harness = await this.#serve(counters);
    this.#pods = this.#entrances.map((_, index) => harness.addPod(`web-${index}`));
    this.#mesh.put(
      ...this.#pods.map(({ name, uid, ips }): MeshObject => {
        return { kind: 'Pod', object: pod(name, { uid, address: ips[0] ?? '', labels: { app: 'web' } }) };
      }),
      ...Object.keys(this.#services).flatMap((name) => this.#objectsOf(name)),
    );
    const problems = [...this.#mesh.snapshot.policies.values()].flatMap((view) => view.problems);
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    const { port: adsPort, rootPem } = harness;
    for (const own of this.#pods) {
      const options = { nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem, flushSeconds: 1 };
      this.#envoys.push(await startEnvoy(options));
    }
    for (const [index, envoy] of this.#envoys.entries()) await untilListening(envoy, this.#entrances[index] ?? 0);
  }

  async #serve(counters: Counters, atPort = 0): Promise<AdsHarness> {
    const [source] = this.#mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    const rates = new RateLimitService(counters, (uid, domain) => findRules(this.#mesh.snapshot, uid, domain));
    const inbound = boundInbound(this.#mesh.cache, ({ uid }) => {
      return this.#entrances[this.#pods.findIndex((one) => one.uid === uid)] ?? 0;
    });
    const harness = await startHarness(
      [source, inbound, this.#secrets],
      {},
      {
        metricsSink: { receive: (proxy, message) => this.ledger.receive(proxy, message) },
        atPort,
        unaryCalls: [{ path: RATE_LIMIT_PATH, answer: ({ uid }, question) => rates.answer(uid, question) }],
      },
    );
    for (const own of this.#pods) harness.pods.set(own.uid, own);
    this.#harness = harness;
    return harness;
  }

  #portOf(name: string): number {
    const port = this.#services[name]?.tcpPort ?? this.#backends.get(name)?.port;
    if (port === undefined) throw new Error(`there is no Service ${name}`);
    return port;
  }

  #objectsOf(name: string): MeshObject[] {
    const { policy, jwtRules, tcpPort } = this.#services[name] ?? { policy: {} };
    const key = `shop/${name}`;
    const targetRefs = [{ kind: 'Service', name }];
    const port = { name: tcpPort === undefined ? 'http' : 'tcp', port: 80, targetPort: this.#portOf(name) };
    return [
      { kind: 'Service', object: service(name, { app: 'web' }, { ports: [port] }) },
      { kind: 'RateLimitPolicy', object: rateLimitPolicy(key, { targetRefs, ...policy }) },
      ...(jwtRules === undefined
        ? []
        : [{ kind: 'RequestAuthentication' as const, object: requestAuthentication(key, { targetRefs, jwtRules }) }]),
    ];
  }
}
