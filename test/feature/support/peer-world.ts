import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import type { SecureVersion } from 'node:tls';
import type { PeerAuthentication } from '../../../api/peer-authentication.ts';
import type { MetricsSink } from '../../../operator/ads/metrics-conversation.ts';
import { translateTrustSecret } from '../../../operator/certificates/secret-resource.ts';
import { keyOf, type MeshChange, type MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { MeshSettings, MeshSnapshot } from '../../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, service, slice } from '../../../operator/mesh/testing/objects.ts';
import { HTTP_ALPN, INBOUND_LISTENER } from '../../../operator/xds/names.ts';
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
import { accepts } from './accepts.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { boundInbound } from './bound-inbound.ts';
import { boundListeners } from './bound-listeners.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { connectAs, Http1Line, type MeshCredentials, makeMeshCredentials } from './mesh-callers.ts';
import { identityOf, MeshOnStream } from './mesh-on-stream.ts';
import { secret } from './mesh-resources.ts';
import { ResourceTable } from './resource-table.ts';
import { Wire } from './wire.ts';

/** The identity of both pods. */
export const PRINCIPAL = 'cluster.local/ns/shop/sa/default';
/** Somebody else of the mesh. */
export const STRANGER = 'cluster.local/ns/shop/sa/stranger';
const SERVER_ADDRESS = '127.0.0.50';
const LABELS = { app: 'web' };
const LOOPBACK = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };

/** Ports of the server, as its Services declare them: `bare` and `other` are in none. */
export const PORTS = ['http', 'any', 'tcp', 'bare', 'other'] as const;
export type PortName = (typeof PORTS)[number];
const DECLARED: readonly PortName[] = ['http', 'any', 'tcp'];

interface MeshPort {
  /** Where the application listens. */
  readonly number: number;
  /** Of its Service, with the address of that. */
  readonly service: number;
  readonly address: string;
}

/** A caller and a server with a real sidecar each, which take their configuration from a real stream, and the wire between them. */
export class PeerWorld {
  readonly wire: Wire;
  readonly credentials: MeshCredentials;
  /** Paths that the application was asked for. */
  readonly asked: string[];
  readonly client: EnvoyProcess;
  readonly server: EnvoyProcess;
  private readonly parts: Parts;
  private held: readonly string[] = [];

  private constructor(parts: Parts, client: EnvoyProcess, server: EnvoyProcess) {
    this.parts = parts;
    this.client = client;
    this.server = server;
    this.wire = parts.wire;
    this.credentials = parts.credentials;
    this.asked = parts.asked;
  }

  /** @param metricsSink takes what the sidecars count, which they tell each second; absent: nobody does */
  static async start(settings: Partial<MeshSettings> = {}, metricsSink?: MetricsSink): Promise<PeerWorld> {
    const at = await freePort();
    const parts = await buildParts(at, { ...SETTINGS, ...settings }, metricsSink);
    const { harness, pods } = parts;
    const { port: adsPort, rootPem } = harness;
    const often = metricsSink && { flushSeconds: 1 };
    const start = (own: TestPod) => startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem, ...often });
    const [client, server] = await Promise.all([start(pods.client), start(pods.server)]);
    const world = new PeerWorld(parts, client, server);
    for (const name of DECLARED) {
      const { service, address } = world.port(name);
      await until(() => accepts(address, service), client);
    }
    await until(() => accepts('127.0.0.1', at), server);
    return world;
  }

  get snapshot(): MeshSnapshot {
    return this.parts.mesh.snapshot;
  }

  port(name: PortName): MeshPort {
    const port = this.parts.ports.get(name);
    if (port === undefined) throw new Error(`there is no port ${name}`);
    return port;
  }

  /** Puts policies in the place of those before, and waits until both proxies have acknowledged what comes of them. */
  async enforce(policies: readonly PeerAuthentication[]): Promise<void> {
    const { mesh, harness, pods, listeners } = this.parts;
    const added = policies.map(
      (object): MeshChange => ({ kind: 'PeerAuthentication', key: keyOf(object.metadata), object }),
    );
    const keys = added.map(({ key }) => key);
    const gone = this.held
      .filter((key) => !keys.includes(key))
      .map((key): MeshChange => ({ kind: 'PeerAuthentication', key, object: undefined }));
    this.held = keys;
    mesh.apply([...gone, ...added]);
    const has = ({ uid }: TestPod, typeUrl: string, name: string, version?: string): boolean =>
      version !== undefined && harness.server.acks.acked(uid, typeUrl, name) === version;
    const inbound = listeners.lookup(identityOf(pods.server), LISTENER_TYPE, INBOUND_LISTENER)?.version;
    await until(async () => has(pods.server, LISTENER_TYPE, INBOUND_LISTENER, inbound), this.server);
    for (const name of DECLARED) {
      const cluster = `outbound|${this.port(name).service}||${name}.shop.svc.cluster.local`;
      const { version } = mesh.cache.lookup(identityOf(pods.client), ENDPOINT_TYPE, cluster) ?? {};
      await until(async () => has(pods.client, ENDPOINT_TYPE, cluster, version), this.client);
    }
    this.wire.cut();
  }

  /** Status of a request that goes through both sidecars; 0 without an answer. */
  async call(name: PortName, path = '/'): Promise<{ readonly status: number; readonly body: string }> {
    const { service, address } = this.port(name);
    const socket = connect(service, address);
    const host = `${name}.shop.svc.cluster.local:${service}`;
    return ask(new Http1Line(socket.on('error', () => {})), path, host);
  }

  /** Status of a request of somebody without a sidecar; 0 without an answer. */
  async callPlainly(name: PortName): Promise<number> {
    const socket = connect(this.port(name).number, SERVER_ADDRESS);
    return (await ask(new Http1Line(socket.on('error', () => {})), '/', 'x')).status;
  }

  /** Status of a request by mTLS of the mesh, whatever the callers of the mesh are told; 0 without an answer. */
  async callByMutualTls(name: PortName, principal = PRINCIPAL, version?: SecureVersion): Promise<number> {
    const entrance = { at: this.parts.at, credentials: this.credentials };
    const alpn = name === 'any' ? HTTP_ALPN : undefined;
    try {
      const caller = { ...LOOPBACK, principal, ...(version && { version }) };
      const socket = await connectAs(entrance, caller, this.port(name).number, alpn);
      return (await ask(new Http1Line(socket), '/', 'x')).status;
    } catch {
      return 0;
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.client.stop(), this.server.stop()]);
    await this.parts.harness.stop();
    this.wire.close();
    for (const app of this.parts.apps) app.close().closeAllConnections();
  }
}

interface Parts {
  readonly asked: string[];
  readonly at: number;
  readonly mesh: MeshOnStream;
  readonly harness: AdsHarness;
  readonly listeners: ResourceSource;
  readonly credentials: MeshCredentials;
  readonly wire: Wire;
  readonly apps: readonly Server[];
  readonly ports: ReadonlyMap<PortName, MeshPort>;
  readonly pods: { readonly client: TestPod; readonly server: TestPod };
}

async function buildParts(at: number, settings: MeshSettings, metricsSink?: MetricsSink): Promise<Parts> {
  const mesh = new MeshOnStream(settings, [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE]);
  const [source] = mesh.sources;
  if (source === undefined) throw new Error('a mesh has a source');
  const wire = new Wire(at);
  const ports = new Map<PortName, MeshPort>();
  const apps: Server[] = [];
  const asked: string[] = [];
  for (const [index, name] of PORTS.entries()) {
    const number = await freePort();
    apps.push(await startApplication(number, asked));
    await wire.listen(SERVER_ADDRESS, number);
    ports.set(name, { number, service: await freePort(), address: `127.1.0.${index + 1}` });
  }
  const bound = DECLARED.map((name) => ports.get(name)?.service ?? 0);
  const listeners = byPod({ server: boundInbound(mesh.cache, at), client: boundListeners(mesh.cache, bound) });
  const credentials = await makeMeshCredentials(PRINCIPAL, [PRINCIPAL, STRANGER]);
  const secrets = new ResourceTable([SECRET_TYPE]);
  secrets.update([secret(WORKLOAD_SECRET, credentials.workload), translateTrustSecret(credentials.rootPem)]);
  const harness = await startHarness([source, listeners, secrets], {}, metricsSink && { metricsSink });
  const pods = { client: harness.addPod('client'), server: harness.addPod('server') };
  mesh.put(...objectsOf(pods, ports));
  return { at, asked, mesh, harness, listeners, credentials, wire, apps, ports, pods };
}

function objectsOf({ client, server }: Parts['pods'], ports: Parts['ports']): MeshObject[] {
  const own = pod('server', { uid: server.uid, address: SERVER_ADDRESS, labels: LABELS });
  const services = DECLARED.flatMap((name): MeshObject[] => {
    const { number = 0, service: port = 0, address = '' } = ports.get(name) ?? {};
    const spec = { clusterIP: address, ports: [{ name, port, targetPort: number }] };
    return [
      { kind: 'Service', object: service(name, LABELS, spec) },
      { kind: 'EndpointSlice', object: slice(name, [own], { [name]: number }) },
    ];
  });
  return [
    { kind: 'Pod', object: own },
    { kind: 'Pod', object: pod('client', { uid: client.uid, address: client.ips[0] ?? '' }) },
    ...services,
  ];
}

/** Listeners of the proxies by the name of their pod. */
function byPod(sources: Readonly<Record<string, ResourceSource>>): ResourceSource {
  const of = ({ podName }: ProxyIdentity): ResourceSource | undefined => sources[podName];
  return {
    typeUrls: [LISTENER_TYPE],
    lookup: (proxy, typeUrl, name) => of(proxy)?.lookup(proxy, typeUrl, name),
    wildcard: (proxy, typeUrl) => of(proxy)?.wildcard(proxy, typeUrl) ?? new Map(),
    onChange: () => () => {},
  };
}

async function startApplication(port: number, asked: string[]): Promise<Server> {
  const app = createServer((request, response) => {
    asked.push(request.url ?? '');
    request.resume().on('end', () => response.end(`you asked for ${request.url}`));
  });
  app.listen(port, '127.0.0.1');
  await once(app, 'listening');
  return app;
}

async function ask(line: Http1Line, path: string, host: string): Promise<{ status: number; body: string }> {
  const { status = 0, body } = await line.send(
    `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-secret: ${path.slice(1)}\r\n\r\n`,
  );
  line.close();
  return { status, body };
}

async function until(holds: () => Promise<boolean>, envoy: EnvoyProcess): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not come about: ${envoy.log()}`);
}
