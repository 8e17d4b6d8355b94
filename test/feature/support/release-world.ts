import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { CanarySpec } from '../../../api/canary.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { readTrafficTerms, termsKey } from '../../../api/traffic-terms.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { observationOf, podsOf, revisionOf, targetOf } from '../../../operator/canary/observation.fixture.ts';
import type { Observation } from '../../../operator/canary/observation.ts';
import { DEFAULT_LIFETIMES } from '../../../operator/certificates/lifetimes.ts';
import { SecretSource } from '../../../operator/certificates/secret-source.ts';
import { spiffeId } from '../../../operator/certificates/start.ts';
import { readyAuthority } from '../../../operator/certificates/testing/chain.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { canary, pod, SETTINGS, service, sidecar, slice } from '../../../operator/mesh/testing/objects.ts';
import { TrafficLedger } from '../../../operator/telemetry/ledger.ts';
import type { TrafficAnswer } from '../../../operator/telemetry/traffic.ts';
import { CompleteTraffic } from '../../../operator/wiring/complete-traffic.ts';
import { SplitCoverage } from '../../../operator/wiring/split-coverage.ts';
import { describeWorkload } from '../../../operator/wiring/workload-description.ts';
import type { ProxyIdentity, ResourceSource } from '../../../operator/xds/resource.ts';
import { accepts } from './accepts.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './ads-harness.ts';
import { directInbound } from './bound-inbound.ts';
import { boundListeners } from './bound-listeners.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { type FailingBackend, startFailingBackend } from './failing-backend.ts';
import { freePort } from './free-port.ts';
import { listenersByPod } from './listeners-by-pod.ts';
import { MeshOnStream } from './mesh-on-stream.ts';
import { SteadyLoad } from './steady-load.ts';

const CALLER = 'caller';
const STABLE = 'r1';
const NEXT = 'r2';

/** A revision of a lane: its pod, and the application in it. */
interface Side {
  readonly pod: V1Pod;
  readonly address: string;
  readonly backend: FailingBackend;
}

/** A Service of a Deployment of the same name, with a pod of the stable revision `r1` and one of `r2`, each with a sidecar; one release after the other goes over it. */
export interface Lane {
  readonly name: string;
  readonly stable: FailingBackend;
  readonly next: FailingBackend;
}

/**
 * What stands between requests and verdicts, for real: a caller's sidecar, sidecars of stable and new revisions, mutual TLS between them, their configuration
 * over a stream from a mesh that is told of each status of a Canary, their counts over another into the ledger, and who has acknowledged what. Played are
 * Kubernetes and the applications, which fail at random.
 */
export class ReleaseWorld {
  readonly lanes: readonly Lane[];
  readonly envoys: readonly EnvoyProcess[];
  readonly #ledger: TrafficLedger;
  readonly #port: number;
  readonly #mesh: MeshOnStream;
  readonly #coverage: SplitCoverage;
  readonly #traffic: CompleteTraffic;
  readonly #ends: readonly (() => unknown)[];

  private constructor(made: Told, lanes: readonly Lane[], envoys: readonly EnvoyProcess[], ends: (() => unknown)[]) {
    const { mesh, ledger, harness, port } = made;
    const snapshot = () => mesh.snapshot;
    const { acks } = harness.server;
    this.lanes = lanes;
    this.envoys = envoys;
    this.#ledger = ledger;
    this.#port = port;
    this.#mesh = mesh;
    this.#coverage = new SplitCoverage(snapshot, acks, mesh.cache);
    this.#traffic = new CompleteTraffic(ledger, { snapshot, acks, servingSince: () => 0, hearsAll: () => true });
    this.#ends = ends;
  }

  /** Starts three sidecars for the first lane, and two for each further one. */
  static async start(count: number): Promise<ReleaseWorld> {
    const mesh = new MeshOnStream(SETTINGS);
    const ledger = new TrafficLedger({
      workload: (uid) => mesh.snapshot.workloads.get(uid),
      stableRevision: (hostname) => mesh.snapshot.services.get(hostname)?.split?.stable,
      isPolicyOf: () => false,
    });
    const [port, served] = [await freePort(), await freePort()];
    const authority = await readyAuthority();
    const secrets = new SecretSource({
      authority,
      spiffeId: (proxy) => spiffeId('cluster.local', proxy),
      description: ({ uid }) => describeWorkload(mesh.snapshot.workloads.get(uid)),
      workloadMs: DEFAULT_LIFETIMES.workloadMs,
    });
    const addresses = new Map<string, string>();
    const inbound = directInbound(mesh.cache, ({ podName }) => ({
      address: addresses.get(podName) ?? '',
      port: served,
    }));
    const listeners = byRole(boundListeners(mesh.cache, [port]), inbound);
    const [source] = mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    const metricsSink = { receive: (proxy: ProxyIdentity, bytes: Uint8Array) => ledger.receive(proxy, bytes) };
    const harness = await startHarness([source, listeners, secrets], {}, { metricsSink });
    const sides: Side[] = [];
    const lanes: Lane[] = [];
    const caller = harness.addPod(CALLER);
    mesh.put({ kind: 'Pod', object: podOf(CALLER, caller.uid, caller.ips[0] ?? '') });
    for (let nth = 1; nth <= count; nth++) {
      const name = `web-${nth}`;
      const stable = await side(harness, name, STABLE, `127.2.${nth}.1`);
      const next = await side(harness, name, NEXT, `127.2.${nth}.2`);
      for (const { pod: own, address } of [stable, next]) addresses.set(own.metadata?.name ?? '', address);
      mesh.put(
        { kind: 'Service', object: serviceOf(name, `127.1.1.${nth}`, port, served) },
        ...objectsOf(name, STABLE, served, stable),
        ...objectsOf(name, NEXT, served, next),
      );
      sides.push(stable, next);
      lanes.push({ name, stable: stable.backend, next: next.backend });
    }
    const { port: adsPort, rootPem } = harness;
    const envoys = await Promise.all(
      [...harness.pods.values()].map((own) =>
        startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem, flushSeconds: 1 }),
      ),
    );
    const ends = [
      ...sides.map(({ backend }) => backend.close),
      () => authority.stop(),
      () => secrets.stop(),
      () => harness.stop(),
      ...envoys.map((envoy) => envoy.stop),
    ];
    const places = [...addresses.values()].map((address) => [address, served] as const);
    for (const [address, at] of [['127.0.0.1', port] as const, ...places]) {
      await waitUntil(`${address}:${at}`, async () => ((await accepts(address, at)) ? undefined : 'nobody listens'));
    }
    return new ReleaseWorld({ mesh, ledger, harness, port }, lanes, envoys, ends);
  }

  /** Requests of the caller for a lane's Service, which begin when told. */
  load({ name }: Lane, perSecond: number): SteadyLoad {
    return new SteadyLoad('127.0.0.1', this.#port, name, perSecond);
  }

  /** Tells the mesh of a Canary's status. */
  tell({ name }: Lane, spec: CanarySpec, status: CanaryStatus): void {
    this.#mesh.put({ kind: 'Canary', object: { ...canary(name, name, status), spec } });
  }

  /** What the phase machine looks at, now. @param current revision of the Deployment's template */
  observe({ name }: Lane, spec: CanarySpec, current: 'r1' | 'r2'): Observation {
    const now = Date.now();
    const of = queryOf(name);
    const fresh = current === NEXT ? [revisionOf(NEXT, podsOf(4))] : [];
    const terms = termsKey(readTrafficTerms(spec.analysis) ?? {});
    return observationOf(targetOf({ current }, ...fresh), {
      now,
      spec,
      services: [name],
      coverage: (next, side) => this.#coverage.coverage({ ...of, canary: name, stable: STABLE, next, side, terms }),
      traffic: (revision, since) => this.#traffic.window({ ...of, revision, since, until: now }),
    });
  }

  /** What sidecars have told of the new revision since a moment, in ms since the epoch. */
  toldOf({ name }: Lane, since: number): TrafficAnswer {
    return this.#ledger.window({ ...queryOf(name), revision: NEXT, since, until: Date.now() + 1000 });
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }
}

const queryOf = (name: string) => ({ namespace: 'shop', services: [`${name}.shop.svc.cluster.local`] });

interface Told {
  readonly mesh: MeshOnStream;
  readonly ledger: TrafficLedger;
  readonly harness: AdsHarness;
  readonly port: number;
}

/** The caller has the outbound side alone, all others the inbound one. */
function byRole(outbound: ResourceSource, inbound: ResourceSource): ResourceSource {
  const of = ({ podName }: ProxyIdentity): ResourceSource => (podName === CALLER ? outbound : inbound);
  return {
    ...listenersByPod({}),
    lookup: (proxy, typeUrl, name) => of(proxy).lookup(proxy, typeUrl, name),
    wildcard: (proxy, typeUrl) => of(proxy).wildcard(proxy, typeUrl),
  };
}

function podOf(name: string, uid: string, address: string, more: Parameters<typeof pod>[1] = {}): V1Pod {
  const made = pod(name, { uid, address, ...more });
  return { ...made, spec: { containers: [], ...made.spec, serviceAccountName: 'default' } };
}

async function side(harness: AdsHarness, name: string, revision: string, address: string): Promise<Side> {
  const backend = await startFailingBackend();
  const { uid, name: podName } = harness.addPod(`${name}-${revision}`);
  const of = { deployment: name, revision, labels: { app: name }, gated: revision === NEXT };
  return { pod: podOf(podName, uid, address, of), address, backend };
}

function serviceOf(name: string, clusterIP: string, port: number, served: number): V1Service {
  return service(name, { app: name }, { clusterIP, ports: [{ name: 'http', port, targetPort: served }] });
}

/** A pod's sidecar has its port at the pod's address; the application, where redirection would find it, is on another port of loopback. */
function objectsOf(name: string, revision: string, served: number, { pod: own, backend }: Side): MeshObject[] {
  const made = slice(name, [own], { http: served });
  const ingress = [
    { port: { number: served, protocol: 'HTTP', name: 'http' }, defaultEndpoint: `127.0.0.1:${backend.port}` },
  ];
  const workloadSelector = { labels: { app: name, 'pod-template-hash': revision } };
  return [
    { kind: 'Pod', object: own },
    { kind: 'EndpointSlice', object: { ...made, metadata: { ...made.metadata, name: `${name}-${revision}` } } },
    { kind: 'Sidecar', object: sidecar(`shop/${name}-${revision}`, { workloadSelector, ingress }) },
  ];
}
