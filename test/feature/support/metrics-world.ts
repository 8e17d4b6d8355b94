import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { V1Pod } from '@kubernetes/client-node';
import { METRICS_PAGE_ANNOTATION } from '../../../api/pod-names.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import type { MetricsSink } from '../../../operator/ads/metrics-conversation.ts';
import type { CertificateAuthority } from '../../../operator/certificates/authority.ts';
import { DEFAULT_LIFETIMES } from '../../../operator/certificates/lifetimes.ts';
import { SecretSource } from '../../../operator/certificates/secret-source.ts';
import { spiffeId } from '../../../operator/certificates/start.ts';
import { readyAuthority } from '../../../operator/certificates/testing/chain.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, service, slice } from '../../../operator/mesh/testing/objects.ts';
import { describeWorkload } from '../../../operator/wiring/workload-description.ts';
import { CLUSTER_TYPE, LISTENER_TYPE, type ResourceSource, type XdsResource } from '../../../operator/xds/resource.ts';
import { METRICS_PAGE_CLUSTER } from '../../../proxy/names.ts';
import { accepts } from './accepts.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { boundInbound } from './bound-inbound.ts';
import { boundListeners } from './bound-listeners.ts';
import { type EchoBackend, startEchoBackend } from './echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { startGrpcEcho } from './grpc-echo.ts';
import { listenersByPod } from './listeners-by-pod.ts';
import { identityOf, MeshOnStream } from './mesh-on-stream.ts';
import { type MetricsPart, metricsPart } from './metrics-sidecar.ts';
import { readPage, type Series } from './prometheus-page.ts';
import { Wire } from './wire.ts';

const SERVER_ADDRESS = '127.0.0.60';
const PORTS = ['http', 'grpc', 'tcp', 'down'] as const;
export type PortName = (typeof PORTS)[number];

/** Where a Service of the server is, and the application behind it. */
interface ServedPort {
  readonly address: string;
  readonly service: number;
  readonly application: number;
}

/** Through which the sidecars come by what they are told. */
interface Told {
  readonly mesh: MeshOnStream;
  readonly harness: AdsHarness;
  readonly listeners: ResourceSource;
  readonly wire: Wire;
}

/**
 * A caller (`ui`, of a Deployment, with a version) and a server (`ordering`), each with a real sidecar that has its certificate from a real authority, its
 * configuration from a real stream and its metrics page from the bootstrap of a pod.
 */
export class MetricsWorld {
  readonly authority: CertificateAuthority;
  readonly backend: EchoBackend;
  /** Of the server's inbound listener, which takes the PROXY protocol. */
  readonly at: number;
  private readonly ports: ReadonlyMap<PortName, ServedPort>;
  private readonly pages: { readonly ui: MetricsPart; readonly ordering: MetricsPart };
  private readonly envoys: readonly EnvoyProcess[];
  private readonly ends: (() => unknown)[];
  private readonly told: Told;

  private constructor(
    made: Pick<MetricsWorld, 'authority' | 'backend' | 'at'> & Told,
    ports: ReadonlyMap<PortName, ServedPort>,
    pages: { readonly ui: MetricsPart; readonly ordering: MetricsPart },
    envoys: readonly EnvoyProcess[],
    ends: (() => unknown)[],
  ) {
    this.authority = made.authority;
    this.backend = made.backend;
    this.at = made.at;
    this.told = made;
    this.ports = ports;
    this.pages = pages;
    this.envoys = envoys;
    this.ends = ends;
  }

  /** @param metricsSink takes what the sidecars push, each second; absent: nobody does */
  static async start(metricsSink?: MetricsSink): Promise<MetricsWorld> {
    const at = await freePort();
    const wire = new Wire(at);
    const backend = await startEchoBackend('ordering');
    const grpc = await startGrpcEcho();
    const tcp = await startTcpEcho();
    const ends: (() => unknown)[] = [() => wire.close(), backend.close, grpc.close, tcp.close];
    const applications = { http: backend.port, grpc: grpc.port, tcp: tcp.port, down: await freePort() };
    const ports = new Map<PortName, ServedPort>();
    for (const [index, name] of PORTS.entries()) {
      const served = { address: `127.1.1.${index + 1}`, service: await freePort(), application: applications[name] };
      ports.set(name, served);
      // Of `down` nobody listens, neither the application nor a sidecar.
      if (name !== 'down') await wire.listen(SERVER_ADDRESS, served.application);
    }
    const mesh = new MeshOnStream(SETTINGS);
    const [source] = mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    const authority = await readyAuthority();
    const secrets = new SecretSource({
      authority,
      spiffeId: (proxy) => spiffeId('cluster.local', proxy),
      description: ({ uid }) => describeWorkload(mesh.snapshot.workloads.get(uid)),
      workloadMs: DEFAULT_LIFETIMES.workloadMs,
    });
    const bound = [...ports.values()].map(({ service }) => service);
    const listeners = listenersByPod({ ui: boundListeners(mesh.cache, bound), ordering: boundInbound(mesh.cache, at) });
    const harness = await startHarness([source, listeners, secrets], {}, metricsSink && { metricsSink });
    const ui = podOf(harness.addPod('ui'), { version: 'v2' });
    const ordering = podOf(harness.addPod('ordering'), {}, SERVER_ADDRESS);
    mesh.put({ kind: 'Pod', object: ui }, { kind: 'Pod', object: ordering }, ...servicesOf(ordering, ports));
    const pages = { ui: await metricsPart(ui), ordering: await metricsPart(ordering) };
    const envoys = await Promise.all(
      [...harness.pods.values()].map((own) =>
        startSidecar(harness, own, own.name === 'ui' ? pages.ui : pages.ordering),
      ),
    );
    ends.push(
      ...envoys.map((envoy) => envoy.stop),
      () => harness.stop(),
      () => secrets.stop(),
      () => authority.stop(),
    );
    await Promise.all([
      ...[...ports.values()].map(({ address, service: port }) => listening(address, port, envoys)),
      listening('127.0.0.1', at, envoys),
    ]);
    return new MetricsWorld({ authority, backend, at, mesh, harness, listeners, wire }, ports, pages, envoys, ends);
  }

  port(name: PortName): ServedPort {
    const port = this.ports.get(name);
    if (port === undefined) throw new Error(`there is no port ${name}`);
    return port;
  }

  /** Where the server's metrics are. */
  get metricsPort(): number {
    return this.pages.ordering.ports.own;
  }

  get snapshot(): MeshSnapshot {
    return this.told.mesh.snapshot;
  }

  /** Puts objects into the mesh, and waits until both sidecars have acknowledged their listeners, and what their pages are told. */
  async put(...objects: readonly MeshObject[]): Promise<void> {
    this.told.mesh.put(...objects);
    await this.isAcknowledged();
  }

  /** Takes a Telemetry out of the mesh, and waits likewise. */
  async remove(key: string): Promise<void> {
    this.told.mesh.apply([{ kind: 'Telemetry', key, object: undefined }]);
    await this.isAcknowledged();
  }

  private async isAcknowledged(): Promise<void> {
    const { mesh, harness, listeners } = this.told;
    for (const own of harness.pods.values()) {
      const identity = identityOf(own);
      const has = ({ typeUrl, name, version }: XdsResource) =>
        harness.server.acks.acked(own.uid, typeUrl, name) === version;
      const page = mesh.cache.lookup(identity, CLUSTER_TYPE, METRICS_PAGE_CLUSTER);
      const amiss = () => {
        const wanted = [...listeners.wildcard(identity, LISTENER_TYPE).values(), ...(page === undefined ? [] : [page])];
        const missing = wanted.filter((resource) => !has(resource)).map(({ name }) => name);
        return Promise.resolve(missing.length === 0 ? undefined : `${own.name} has not acknowledged ${missing}`);
      };
      await waitUntil(`${own.name} has what was put`, amiss, { timeoutMs: 30_000, everyMs: 10 });
    }
  }

  /** Ends the connections between the two, as those of before a listener's change have what they count counted as before. */
  cut(): void {
    this.told.wire.cut();
  }

  /** A figure of both sidecars together, by its name on Envoy's own page. */
  async figure(name: string): Promise<number> {
    const said = await Promise.all(this.envoys.map((envoy) => envoy.admin(`/stats?filter=^${name}$`)));
    return said.reduce((sum, text) => sum + Number(/: (\d+)/.exec(text)?.[1] ?? 0), 0);
  }

  /** What both sidecars count. */
  async series(): Promise<{ readonly ui: Series[]; readonly ordering: Series[] }> {
    const { ui, ordering } = await this.texts();
    return { ui: readPage(ui), ordering: readPage(ordering) };
  }

  /** The same, as Prometheus gets it. */
  async texts(): Promise<{ readonly ui: string; readonly ordering: string }> {
    const [ui, ordering] = await Promise.all([this.pages.ui.own(), this.pages.ordering.own()]);
    return { ui, ordering };
  }

  /** What Envoy's own page says of some names on both sides, which costs less than a large one of ours. */
  async stats(filter: string): Promise<readonly string[]> {
    return Promise.all(this.envoys.map((envoy) => envoy.admin(`/stats/prometheus?filter=${filter}`)));
  }

  async stop(): Promise<void> {
    for (const end of this.ends.toReversed()) await end();
  }
}

function startSidecar(harness: AdsHarness, own: TestPod, { statics }: MetricsPart): Promise<EnvoyProcess> {
  const { port: adsPort, rootPem } = harness;
  return startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem, flushSeconds: 1, statics });
}

function podOf({ uid, name, ips }: TestPod, labels: Record<string, string>, address = ips[0] ?? ''): V1Pod {
  const made = pod(name, {
    uid,
    address,
    deployment: name,
    revision: 'r1',
    labels: {
      app: name,
      'service.istio.io/canonical-name': name,
      'service.istio.io/canonical-revision': labels.version ?? 'latest',
      ...labels,
    },
  });
  const metadata = {
    ...made.metadata,
    annotations: { ...made.metadata?.annotations, [METRICS_PAGE_ANNOTATION]: 'overridden' },
  };
  return { ...made, metadata, spec: { containers: [], ...made.spec, serviceAccountName: 'default' } };
}

function servicesOf(own: V1Pod, ports: ReadonlyMap<PortName, ServedPort>): MeshObject[] {
  return [...ports].flatMap(([name, { address, service: port, application }]): MeshObject[] => {
    const spec = {
      clusterIP: address,
      // To Kubernetes a name begins with its protocol.
      ports: [{ name: name === 'down' ? 'tcp-down' : name, port, targetPort: application }],
    };
    return [
      { kind: 'Service', object: service(name, { app: 'ordering' }, spec) },
      { kind: 'EndpointSlice', object: slice(name, [own], { [spec.ports[0]?.name ?? '']: application }) },
    ];
  });
}

/** Says back what it is told, until the other side ends. */
async function startTcpEcho(): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: false }, (socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, close };
}

/** Waits until somebody listens there. */
function listening(address: string, port: number, envoys: readonly EnvoyProcess[]): Promise<void> {
  const amiss = async () =>
    (await accepts(address, port)) ? undefined : envoys.map((envoy) => envoy.log()).join('\n');
  return waitUntil(`${address}:${port}`, amiss, { timeoutMs: 30_000, everyMs: 10 });
}
