import type { V1EndpointSlice } from '@kubernetes/client-node';
import { translateTrustSecret } from '../../../operator/certificates/secret-resource.ts';
import { keyOf, type MeshChange, type MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { MeshSnapshot, Workload } from '../../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, service } from '../../../operator/mesh/testing/objects.ts';
import { INBOUND_LISTENER } from '../../../operator/xds/names.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  type ResourceSource,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { boundInbound, untilListening } from './bound-inbound.ts';
import { type EchoBackend, startEchoBackend } from './echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Answer, call } from './http-call.ts';
import { makeMeshCredentials } from './mesh-callers.ts';
import { httpListener, identityOf, MeshOnStream } from './mesh-on-stream.ts';
import { secret } from './mesh-resources.ts';
import { ResourceTable } from './resource-table.ts';
import { Wire } from './wire.ts';

/** Callers, with their namespaces; the ServiceAccount is that of policies' vocabulary. */
export const CLIENTS = [
  { name: 'ui', namespace: 'shop', account: 'ui' },
  { name: 'batch', namespace: 'shop-2', account: 'ui' },
] as const;
export type ClientName = (typeof CLIENTS)[number]['name'];

/** Pods that serve, each with an address of loopback; `legacy` has no sidecar. */
export const SERVERS = [
  { name: 'ordering-v1', app: 'ordering', version: 'v1', address: '127.0.0.51' },
  { name: 'ordering-v2', app: 'ordering', version: 'v2', address: '127.0.0.52' },
  { name: 'inventory-1', app: 'inventory', version: 'v1', address: '127.0.0.53' },
  { name: 'legacy-1', app: 'legacy', version: 'v1', address: '127.0.0.54' },
] as const;
/** Services of all of an app, with the name of their port, by which its protocol is declared or not. */
export const SERVICES = [
  { name: 'ordering', app: 'ordering', port: 'http' },
  { name: 'inventory', app: 'inventory', port: 'http' },
  { name: 'stock', app: 'inventory', port: 'any' },
  { name: 'legacy', app: 'legacy', port: 'http' },
] as const;

const SERVICE_PORT = 80;

type ServerName = (typeof SERVERS)[number]['name'];

interface Client {
  readonly pod: TestPod;
  readonly at: number;
  envoy?: EnvoyProcess;
}

interface Server {
  readonly pod: TestPod;
  readonly at: number;
  readonly wire: Wire;
  readonly ports: ReadonlyMap<string, number>;
  envoy?: EnvoyProcess;
}

/** The shop with a real sidecar for each of its pods, whose policies and routes change from round to round. */
export class ExplainedShop {
  private readonly mesh = new MeshOnStream({ ...SETTINGS, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } }, [
    CLUSTER_TYPE,
    ENDPOINT_TYPE,
    ROUTE_TYPE,
    VIRTUAL_HOST_TYPE,
  ]);
  private readonly clients = new Map<ClientName, Client>();
  private readonly servers = new Map<ServerName, Server>();
  private readonly backends: EchoBackend[] = [];
  private readonly sources = new Map<string, ResourceSource[]>();
  private held: readonly MeshObject[] = [];
  private harness: AdsHarness | undefined;

  get snapshot(): MeshSnapshot {
    return this.mesh.snapshot;
  }

  /** The caller as the mesh knows it. */
  workload(name: ClientName): Workload {
    const found = this.snapshot.workloads.get(this.client(name).pod.uid);
    if (found === undefined) throw new Error(`${name} is not in the mesh`);
    return found;
  }

  /** Numbers of ports of pods, for policies to name. */
  get podPorts(): readonly number[] {
    return [...this.servers.values()].flatMap(({ ports }) => [...ports.values()]);
  }

  async start(): Promise<void> {
    const [source] = this.mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    const harness = await startHarness([source, this.byPod(LISTENER_TYPE), this.byPod(SECRET_TYPE)]);
    this.harness = harness;
    for (const one of SERVERS) await this.addServer(harness, one);
    for (const { name, namespace } of CLIENTS) {
      this.clients.set(name, { pod: harness.addPod(name, namespace), at: await freePort() });
    }
    this.mesh.put(...this.objects());
    await this.giveResources();
    const start = (own: TestPod) =>
      startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort: harness.port, rootPem: harness.rootPem });
    for (const client of this.clients.values()) client.envoy = await start(client.pod);
    for (const [name, server] of this.servers) if (name !== 'legacy-1') server.envoy = await start(server.pod);
    for (const { envoy, at } of [...this.clients.values(), ...this.servers.values()]) {
      if (envoy !== undefined) await untilListening(envoy, at);
    }
  }

  /** Puts policies and routes in the place of those before, and waits until all proxies have acknowledged what comes of them. */
  async enforce(objects: readonly MeshObject[]): Promise<void> {
    const keyed = (entry: MeshObject) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange;
    const names = new Set(objects.map((entry) => `${entry.kind} ${keyed(entry).key}`));
    const gone = this.held.map(keyed).filter(({ kind, key }) => !names.has(`${kind} ${key}`));
    this.held = objects;
    this.mesh.apply([...gone.map((change) => ({ ...change, object: undefined }) as MeshChange), ...objects.map(keyed)]);
    for (const one of [...this.clients.values(), ...this.servers.values()]) {
      if (one.envoy !== undefined) await this.untilInForce(one.pod, one.envoy);
    }
    for (const { wire } of this.servers.values()) wire.cut();
  }

  /** A request by a caller's sidecar. */
  async ask(
    name: ClientName,
    {
      method,
      authority,
      path,
      headers,
    }: { method: string; authority: string; path: string; headers: readonly (readonly [string, string])[] },
  ): Promise<Answer> {
    const sent = [['host', authority], ...headers].flat() as string[];
    return call({ port: this.client(name).at, method, path, headers: sent, agent: false });
  }

  log(): string {
    return [...this.clients.values(), ...this.servers.values()].map(({ envoy }) => envoy?.log() ?? '').join('\n');
  }

  async stop(): Promise<void> {
    for (const { envoy } of [...this.clients.values(), ...this.servers.values()]) await envoy?.stop();
    await this.harness?.stop();
    for (const { wire } of this.servers.values()) wire.close();
    for (const backend of this.backends) backend.close();
  }

  private client(name: ClientName): Client {
    const found = this.clients.get(name);
    if (found === undefined) throw new Error('the shop has not started');
    return found;
  }

  private async addServer(harness: AdsHarness, { name, app, address }: (typeof SERVERS)[number]): Promise<void> {
    const at = await freePort();
    const wire = new Wire(at);
    const ports = new Map<string, number>();
    for (const { name: serviceName, app: served } of SERVICES) {
      if (served !== app) continue;
      // One without a sidecar is reached as it is.
      const backend = await startEchoBackend(name, app === 'legacy' ? address : '127.0.0.1');
      this.backends.push(backend);
      ports.set(serviceName, backend.port);
      if (app !== 'legacy') await wire.listen(address, backend.port);
    }
    this.servers.set(name, { pod: harness.addPod(name), at, wire, ports });
  }

  private objects(): MeshObject[] {
    const clients = CLIENTS.map(({ name, namespace, account }): MeshObject => {
      const { uid, ips } = this.client(name).pod;
      const object = pod(name, {
        uid,
        namespace,
        address: ips[0] ?? '',
        labels: { app: name },
        deployment: account,
        revision: '1',
      });
      return { kind: 'Pod', object };
    });
    const servers = SERVERS.map(({ name, app, version, address }): MeshObject => {
      const { pod: own, ports } = this.server(name);
      const named = [...ports].map(([port, containerPort]) => ({ name: port, containerPort }));
      const labels = { app, version };
      return {
        kind: 'Pod',
        object: pod(name, { uid: own.uid, address, labels, ports: named, injected: app !== 'legacy' }),
      };
    });
    const services = SERVICES.flatMap(({ name, app, port }, index): MeshObject[] => {
      const spec = { clusterIP: `10.96.0.${index + 1}`, ports: [{ name: port, port: SERVICE_PORT, targetPort: name }] };
      const slices = SERVERS.filter((one) => one.app === app).map((one) => this.slice(name, port, one));
      return [
        { kind: 'Service', object: service(name, { app }, spec) },
        ...slices.map((object): MeshObject => ({ kind: 'EndpointSlice', object })),
      ];
    });
    const alias = service('front', {}, { type: 'ExternalName', externalName: 'ordering.shop.svc.cluster.local' });
    return [...clients, ...servers, ...services, { kind: 'Service', object: alias }];
  }

  private slice(serviceName: string, port: string, { name, address }: (typeof SERVERS)[number]): V1EndpointSlice {
    const { pod: own, ports } = this.server(name);
    return {
      metadata: {
        name: `${serviceName}-${name}`,
        namespace: 'shop',
        labels: { 'kubernetes.io/service-name': serviceName },
      },
      addressType: 'IPv4',
      ports: [{ name: port, port: ports.get(serviceName) ?? 0 }],
      endpoints: [
        {
          addresses: [address],
          conditions: { ready: true },
          targetRef: { kind: 'Pod', name, uid: own.uid, namespace: 'shop' },
        },
      ],
    };
  }

  private server(name: ServerName): Server {
    const found = this.servers.get(name);
    if (found === undefined) throw new Error('the shop has not started');
    return found;
  }

  /** Listeners and certificates: those of loopback in place of redirection, and of each who it is. */
  private async giveResources(): Promise<void> {
    const { workloads } = this.snapshot;
    const principals = new Map(
      [...workloads.values()].map(({ uid, spiffeId }) => [uid, spiffeId.slice('spiffe://'.length)]),
    );
    const credentials = await makeMeshCredentials('cluster.local/ns/shop/sa/default', new Set(principals.values()));
    const inbound = boundInbound(
      this.mesh.cache,
      ({ uid }) => [...this.servers.values()].find(({ pod }) => pod.uid === uid)?.at ?? 0,
    );
    for (const { pod: own } of [...this.clients.values(), ...this.servers.values()]) {
      const cert = credentials.certificates.get(principals.get(own.uid) ?? '') ?? '';
      const secrets = new ResourceTable([SECRET_TYPE]);
      secrets.update([
        secret(WORKLOAD_SECRET, { cert, key: credentials.workload.key }),
        translateTrustSecret(credentials.rootPem),
      ]);
      this.sources.set(own.uid, [secrets, inbound]);
    }
    for (const { pod: own, at } of this.clients.values()) {
      const listeners = new ResourceTable([LISTENER_TYPE]);
      listeners.update([httpListener(at, SERVICE_PORT)]);
      this.sources.set(own.uid, [this.sources.get(own.uid)?.[0] ?? listeners, listeners]);
    }
  }

  private byPod(typeUrl: string): ResourceSource {
    const of = ({ uid }: ProxyIdentity) => this.sources.get(uid)?.find(({ typeUrls }) => typeUrls.includes(typeUrl));
    return {
      typeUrls: [typeUrl],
      lookup: (proxy, type, name) => of(proxy)?.lookup(proxy, type, name),
      wildcard: (proxy, type) => of(proxy)?.wildcard(proxy, type) ?? new Map(),
      onChange: () => () => {},
    };
  }

  private async untilInForce(own: TestPod, envoy: EnvoyProcess): Promise<void> {
    const identity = identityOf(own);
    const wanted = (type: string) =>
      type === LISTENER_TYPE
        ? [this.byPod(LISTENER_TYPE).lookup(identity, LISTENER_TYPE, INBOUND_LISTENER)]
        : [...this.mesh.cache.wildcard(identity, type).values()];
    const acked = (type: string, name: string) => this.harness?.server.acks.acked(own.uid, type, name);
    // Who serves has no listener that leads anywhere, and so no routes.
    const isClient = [...this.clients.values()].some((one) => one.pod === own);
    const types = [CLUSTER_TYPE, ENDPOINT_TYPE, ...(isClient ? [VIRTUAL_HOST_TYPE] : [LISTENER_TYPE])];
    const missing = () =>
      types.flatMap((type) =>
        wanted(type).flatMap((one) => (one === undefined || acked(type, one.name) === one.version ? [] : [one.name])),
      );
    for (const end = performance.now() + 60_000; performance.now() < end; ) {
      if (missing().length === 0) return;
      const rejected = this.harness?.server.acks.proxy(own.uid)?.rejections() ?? [];
      if (rejected.length > 0) throw new Error(`Envoy rejects: ${JSON.stringify(rejected)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${own.name} did not acknowledge ${missing().join(', ')}: ${envoy.log().slice(-3000)}`);
  }
}
