import type { AuthorizationPolicy } from '../../../api/authorization-policy.ts';
import { translateTrustSecret } from '../../../operator/certificates/secret-resource.ts';
import { keyOf, type MeshChange, type MeshObject } from '../../../operator/mesh/mesh-object.ts';
import type { MeshSettings } from '../../../operator/mesh/snapshot.ts';
import { pod, SETTINGS, service } from '../../../operator/mesh/testing/objects.ts';
import { HTTP_ALPN } from '../../../operator/xds/names.ts';
import { SECRET_TYPE } from '../../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './ads-harness.ts';
import type { ReferenceWorkload } from './authorization-reference.ts';
import { boundInbound } from './bound-inbound.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import {
  type Caller,
  connectAs,
  type Entrance,
  type Heard,
  Http1Line,
  Http2Line,
  makeMeshCredentials,
  sayBytes,
} from './mesh-callers.ts';
import { MeshOnStream } from './mesh-on-stream.ts';
import { secret } from './mesh-resources.ts';
import {
  PAIR_HEADER,
  type ReceivedRequest,
  type RecordingBackend,
  startRecordingBackend,
} from './recording-backend.ts';
import { ResourceTable } from './resource-table.ts';
import type { TrickyRequest } from './tricky-requests.ts';

/** How the ports of the workload are declared; `other`: not at all. */
export type PortKind = 'http' | 'auto' | 'tcp' | 'other';

/** A port of the workload, with a Service of its own unless nobody declared it. */
export interface WorldPort {
  readonly kind: PortKind;
  readonly service: string;
  readonly port: number;
}

const NAMESPACE = 'shop';
const LABELS = { app: 'inventory', version: 'v1' };
const NAMES: Readonly<Record<PortKind, string>> = { http: 'http', auto: 'any', tcp: 'tcp', other: 'none' };
const MARKER = 'marker';

/** A workload with a real sidecar, whose policies change from round to round, and who calls it. */
export class AuthorizationWorld {
  /** Requests that reached the application, by what `PAIR_HEADER` says. */
  readonly received = new Map<string, ReceivedRequest[]>();
  private readonly ports: WorldPort[] = [];
  private readonly mesh: MeshOnStream;
  private readonly backends: RecordingBackend[] = [];
  private held: readonly string[] = [];
  private entrance: Entrance | undefined;
  private harness: AdsHarness | undefined;
  private envoy: EnvoyProcess | undefined;

  /** @param settings that differ from those of all tests */
  constructor(settings: Partial<MeshSettings> = {}) {
    this.mesh = new MeshOnStream({ ...SETTINGS, ...settings });
  }

  async start(counts: Readonly<Record<PortKind, number>>, principals: readonly string[]): Promise<void> {
    const credentials = await makeMeshCredentials('cluster.local/ns/shop/sa/default', principals);
    const at = await freePort();
    this.entrance = { at, credentials };
    // Each of its kinds.
    for (const kind of Object.keys(counts) as PortKind[]) {
      for (let index = 0; index < counts[kind]; index++) await this.addPort(kind, `${NAMES[kind]}-${index}`);
    }
    await this.addPort('http', MARKER);
    const secrets = new ResourceTable([SECRET_TYPE]);
    secrets.update([secret(WORKLOAD_SECRET, credentials.workload), translateTrustSecret(credentials.rootPem)]);
    const [source] = this.mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    this.harness = await startHarness([source, boundInbound(this.mesh.cache, at), secrets]);
    const own = this.harness.addPod('inventory');
    this.mesh.put(
      { kind: 'Pod', object: pod('inventory', { uid: own.uid, address: own.ips[0] ?? '', labels: LABELS }) },
      ...this.ports.flatMap((port) => servicesOf(port)),
    );
    const { port: adsPort, rootPem } = this.harness;
    this.envoy = await startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem });
  }

  /** Ports that are there to be called. */
  get called(): readonly WorldPort[] {
    return this.ports.filter(({ service }) => service !== MARKER);
  }

  /** Pairs of requests that reached the application and that nobody has judged: nobody sent them so. */
  get strays(): readonly string[] {
    return [...this.received.keys()].filter((pair) => pair !== MARKER);
  }

  /** What policies may be about. */
  get workload(): ReferenceWorkload {
    const services = this.ports.filter(({ kind }) => kind !== 'other').map((one) => [one.service, [one.port]] as const);
    const { rootNamespace } = SETTINGS;
    return { namespace: NAMESPACE, labels: LABELS, services: new Map(services), rootNamespace };
  }

  /** Puts policies in the place of those before, and waits until they are in force. */
  async enforce(policies: readonly AuthorizationPolicy[], round: number): Promise<void> {
    const objects = [...policies, markerPolicy(round)];
    const added = objects.map(
      (object): MeshChange => ({ kind: 'AuthorizationPolicy', key: keyOf(object.metadata), object }),
    );
    const keys = added.map(({ key }) => key);
    const gone = this.held
      .filter((key) => !keys.includes(key))
      .map((key): MeshChange => ({ kind: 'AuthorizationPolicy', key, object: undefined }));
    this.held = keys;
    this.mesh.apply([...gone, ...added]);
    await this.untilInForce(round);
  }

  /** Each of these must be closed. */
  async connect(caller: Caller, { port, kind }: WorldPort, protocol: TrickyRequest['protocol']) {
    const alpn = kind === 'auto' ? HTTP_ALPN : undefined;
    const socket = await connectAs(this.reached, caller, port, alpn);
    return protocol === 'HTTP/2' ? new Http2Line(socket) : new Http1Line(socket);
  }

  /** Says something that is no HTTP, and gives what came back. */
  async sayTcp(caller: Caller, { port }: WorldPort): Promise<string> {
    try {
      return await sayBytes(await connectAs(this.reached, caller, port), 'tcp hello\n');
    } catch {
      return '';
    }
  }

  log(): string {
    return this.envoy?.log() ?? '';
  }

  async stop(): Promise<void> {
    await this.envoy?.stop();
    await this.harness?.stop();
    for (const backend of this.backends) backend.close();
  }

  private get reached(): Entrance {
    if (this.entrance === undefined) throw new Error('the world has not started');
    return this.entrance;
  }

  private async addPort(kind: PortKind, name: string): Promise<void> {
    const backend = await startRecordingBackend((request) => {
      const [, pair = 'none'] = request.headers.find(([header]) => header.toLowerCase() === PAIR_HEADER) ?? [];
      this.received.set(pair, [...(this.received.get(pair) ?? []), request]);
    });
    this.backends.push(backend);
    this.ports.push({ kind, service: name, port: backend.port });
  }

  private async untilInForce(round: number): Promise<void> {
    const marker = this.ports.find(({ service: name }) => name === MARKER);
    if (marker === undefined) throw new Error('there is a marker');
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      const now = await this.askMarker(marker, round).catch(() => undefined);
      // At first there is no policy at all.
      if (now?.status === 200 && (await this.askMarker(marker, round - 1)).status === 403) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`round ${round} did not come in force: ${this.log()}`);
  }

  private async askMarker(marker: WorldPort, round: number): Promise<Heard> {
    const line = await this.connect({ sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' }, marker, 'HTTP/1.1');
    const request = {
      protocol: 'HTTP/1.1',
      method: 'GET',
      target: `/round-${round}`,
      headers: [['host', 'x']],
    } as const;
    const heard = await send(line, request, MARKER);
    line.close();
    return heard;
  }
}

/** @param pair tells the application which request it is */
export function send(line: Http1Line | Http2Line, request: TrickyRequest, pair: string): Promise<Heard> {
  const { method, target, authority, headers, protocol } = request;
  if (line instanceof Http1Line) {
    const fields = [...headers, [PAIR_HEADER, pair] as const].map(([name, value]) => `${name}: ${value}\r\n`);
    return line.send(`${method} ${target} ${protocol}\r\n${fields.join('')}\r\n`);
  }
  const all = [...headers, [PAIR_HEADER, pair] as const].flat();
  const host = authority === undefined ? [] : [':authority', authority];
  if (method === 'CONNECT') return line.send([':method', method, ':authority', authority ?? 'shop.example', ...all]);
  return line.send([':method', method, ':path', target, ':scheme', 'http', ...host, ...all]);
}

function servicesOf({ kind, service: name, port }: WorldPort): MeshObject[] {
  if (kind === 'other') return [];
  return [
    { kind: 'Service', object: service(name, { app: 'inventory' }, { ports: [{ name, port: 80, targetPort: port }] }) },
  ];
}

function markerPolicy(round: number): AuthorizationPolicy {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: MARKER, namespace: NAMESPACE },
    spec: {
      targetRefs: [{ kind: 'Service', name: MARKER }],
      rules: [{ to: [{ operation: { paths: [`/round-${round}`] } }] }],
    },
  };
}
