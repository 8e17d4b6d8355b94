import type { IncomingHttpHeaders, Server } from 'node:http';
import { connect } from 'node:net';
import type { SecureVersion } from 'node:tls';
import type { PeerAuthentication } from '../../../api/peer-authentication.ts';
import { TRACE_RESOURCE_ANNOTATION } from '../../../api/pod-names.ts';
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
  type ResourceSource,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { accepts } from './accepts.ts';
import { type AdsHarness, nodeIdOf, startHarness, type TestPod } from './ads-harness.ts';
import { startApplication } from './asked-application.ts';
import { boundInbound } from './bound-inbound.ts';
import { boundListeners } from './bound-listeners.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { listenersByPod } from './listeners-by-pod.ts';
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
  /** The headers of these requests. */
  readonly got: IncomingHttpHeaders[];
  /** Of requests for `/held` what answers them. */
  readonly heldBack: (() => void)[];
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
    this.got = parts.got;
    this.heldBack = parts.heldBack;
  }

  /**
   * @param metricsSink takes what the sidecars count, which they tell each second; absent: nobody does
   * @param named the sidecars' environments name their services, as the webhook has it
   */
  static async start(
    settings: Partial<MeshSettings> = {},
    metricsSink?: MetricsSink,
    named = false,
  ): Promise<PeerWorld> {
    const at = await freePort();
    const parts = await buildParts(at, { ...SETTINGS, ...settings }, named, metricsSink);
    const { harness, pods } = parts;
    const { port: adsPort, rootPem } = harness;
    const often = metricsSink && { flushSeconds: 1 };
    const start = (own: TestPod, name: string) => {
      const env = named ? { OTEL_RESOURCE_ATTRIBUTES: `service.name=${name},service.namespace=shop` } : {};
      return startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem, env, ...often });
    };
    const [client, server] = await Promise.all([start(pods.client, 'client'), start(pods.server, 'web')]);
    const world = new PeerWorld(parts, client, server);
    // A connection to an opaque port would be counted as a call: that one of HTTP takes some shows that Envoy serves, and which others it does it says itself.
    const { service, address } = world.port('http');
    await until(() => accepts(address, service), client);
    for (const name of DECLARED) {
      await until(async () => (await client.admin('/listeners')).includes(`:${world.port(name).service}\n`), client);
    }
    await until(() => accepts('127.0.0.1', at), server);
    return world;
  }

  get snapshot(): MeshSnapshot {
    return this.parts.mesh.snapshot;
  }

  /** Port of the server's inbound listener. */
  get inboundPort(): number {
    return this.parts.at;
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

  /** Puts any objects into the mesh, and waits until both proxies have acknowledged the listeners that come of them. */
  async put(...objects: readonly MeshObject[]): Promise<void> {
    const { mesh, harness, pods, listeners } = this.parts;
    mesh.put(...objects);
    for (const [own, envoy] of [
      [pods.server, this.server],
      [pods.client, this.client],
    ] as const) {
      const isCurrent = (name: string, version: string): boolean =>
        harness.server.acks.acked(own.uid, LISTENER_TYPE, name) === version;
      await until(
        async () =>
          [...listeners.wildcard(identityOf(own), LISTENER_TYPE)].every(([name, { version }]) =>
            isCurrent(name, version),
          ),
        envoy,
      );
    }
    // Connections from before have one answer more by what was said then.
    this.wire.cut();
  }

  /** Status of a request that goes through both sidecars; 0 without an answer. */
  async call(
    name: PortName,
    path = '/',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { service, address } = this.port(name);
    const socket = connect(service, address);
    const host = `${name}.shop.svc.cluster.local:${service}`;
    return ask(new Http1Line(socket.on('error', () => {})), path, host, headers);
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
  readonly got: IncomingHttpHeaders[];
  readonly heldBack: (() => void)[];
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

async function buildParts(
  at: number,
  settings: MeshSettings,
  named: boolean,
  metricsSink?: MetricsSink,
): Promise<Parts> {
  const mesh = new MeshOnStream(settings, [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE]);
  const [source] = mesh.sources;
  if (source === undefined) throw new Error('a mesh has a source');
  const wire = new Wire(at);
  const ports = new Map<PortName, MeshPort>();
  const apps: Server[] = [];
  const asked: string[] = [];
  const got: IncomingHttpHeaders[] = [];
  const heldBack: (() => void)[] = [];
  for (const [index, name] of PORTS.entries()) {
    const number = await freePort();
    apps.push(await startApplication(number, asked, got, heldBack));
    await wire.listen(SERVER_ADDRESS, number);
    ports.set(name, { number, service: await freePort(), address: `127.1.0.${index + 1}` });
  }
  const bound = DECLARED.map((name) => ports.get(name)?.service ?? 0);
  const listeners = listenersByPod({ server: boundInbound(mesh.cache, at), client: boundListeners(mesh.cache, bound) });
  const credentials = await makeMeshCredentials(PRINCIPAL, [PRINCIPAL, STRANGER]);
  const secrets = new ResourceTable([SECRET_TYPE]);
  secrets.update([secret(WORKLOAD_SECRET, credentials.workload), translateTrustSecret(credentials.rootPem)]);
  const harness = await startHarness([source, listeners, secrets], {}, metricsSink && { metricsSink });
  const pods = { client: harness.addPod('client'), server: harness.addPod('server') };
  mesh.put(...objectsOf(pods, ports, named));
  return { at, asked, got, heldBack, mesh, harness, listeners, credentials, wire, apps, ports, pods };
}

function objectsOf({ client, server }: Parts['pods'], ports: Parts['ports'], named: boolean): MeshObject[] {
  const own = pod('server', { uid: server.uid, address: SERVER_ADDRESS, labels: LABELS, revision: 'r1' });
  const caller = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
  const trace = named ? { [TRACE_RESOURCE_ANNOTATION]: 'environment' } : {};
  for (const one of [own, caller]) {
    one.metadata = { ...one.metadata, annotations: { ...one.metadata?.annotations, ...trace } };
  }
  const services = DECLARED.flatMap((name): MeshObject[] => {
    const { number = 0, service: port = 0, address = '' } = ports.get(name) ?? {};
    const spec = { clusterIP: address, ports: [{ name, port, targetPort: number }] };
    return [
      { kind: 'Service', object: service(name, LABELS, spec) },
      { kind: 'EndpointSlice', object: slice(name, [own], { [name]: number }) },
    ];
  });
  return [{ kind: 'Pod', object: own }, { kind: 'Pod', object: caller }, ...services];
}

async function ask(
  line: Http1Line,
  path: string,
  host: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string }> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { status = 0, body } = await line.send(
    `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nx-secret: ${path.slice(1)}\r\n${lines.join('')}\r\n`,
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
