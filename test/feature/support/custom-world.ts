import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { AuthorizationPolicySpec } from '../../../api/authorization-policy.ts';
import { extensionProviders } from '../../../api/extension-provider.ts';
import { LOADING_ANNOTATION, REFUSAL_LOG_ANNOTATION } from '../../../api/pod-names.ts';
import { waitFor } from '../../../hack/mesh/wait.ts';
import { translateTrustSecret } from '../../../operator/certificates/secret-resource.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import {
  authorizationPolicy,
  pod,
  SETTINGS,
  service,
  serviceEntry,
  sidecar,
} from '../../../operator/mesh/testing/objects.ts';
import { SECRET_TYPE } from '../../../operator/xds/resource.ts';
import { WORKLOAD_SECRET } from '../../../proxy/names.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './ads-harness.ts';
import { boundInbound, untilListening } from './bound-inbound.ts';
import { type EchoBackend, startEchoBackend } from './echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { type Answer, call } from './http-call.ts';
import { connectAs, type MeshCredentials, makeMeshCredentials, sayBytes } from './mesh-callers.ts';
import { MeshOnStream } from './mesh-on-stream.ts';
import { secret } from './mesh-resources.ts';
import { ResourceTable } from './resource-table.ts';

/** A Service of the workload, and the policies about it. */
export interface AskedService {
  readonly protocol?: 'http' | 'tcp';
  readonly policies: readonly Omit<AuthorizationPolicySpec, 'targetRefs'>[];
}

/** What a request was, beside its path. */
export interface AskedRequest {
  readonly principal?: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const CALLER = { sourceIp: '127.0.0.1', destinationIp: '127.0.0.1' };
const TRIES_MS = 30_000;

/**
 * A workload with a real sidecar that asks providers. Its pod has its clusters on demand, its Sidecar imports nothing of the providers' namespace, and
 * the providers are exported to nobody else.
 */
export class CustomWorld {
  readonly mesh: MeshOnStream;
  readonly #services: Readonly<Record<string, AskedService>>;
  readonly #backends = new Map<string, EchoBackend>();
  readonly #servers = new Map<string, Server>();
  #at = 0;
  #credentials: MeshCredentials | undefined;
  #harness: AdsHarness | undefined;
  #envoy: EnvoyProcess | undefined;

  /** @param providers as the mesh's settings have them */
  constructor(providers: unknown, services: Readonly<Record<string, AskedService>>) {
    this.mesh = new MeshOnStream({ ...SETTINGS, extensionProviders: extensionProviders.parse(providers) });
    this.#services = services;
  }

  /** @param hosts port of loopback behind each host of a provider, on port 9000 */
  async start(hosts: Readonly<Record<string, number>>, principals: readonly string[]): Promise<void> {
    const credentials = await makeMeshCredentials('cluster.local/ns/shop/sa/default', principals);
    this.#credentials = credentials;
    this.#at = await freePort();
    const secrets = new ResourceTable([SECRET_TYPE]);
    secrets.update([secret(WORKLOAD_SECRET, credentials.workload), translateTrustSecret(credentials.rootPem)]);
    const [source] = this.mesh.sources;
    if (source === undefined) throw new Error('a mesh has a source');
    this.#harness = await startHarness([source, boundInbound(this.mesh.cache, this.#at), secrets]);
    const own = this.#harness.addPod('web');
    const object = pod('web', { uid: own.uid, address: own.ips[0] ?? '', labels: { app: 'web' } });
    object.metadata = {
      ...object.metadata,
      annotations: {
        ...object.metadata?.annotations,
        [LOADING_ANNOTATION]: 'on-demand',
        [REFUSAL_LOG_ANNOTATION]: 'bounded',
      },
    };
    this.mesh.put(
      { kind: 'Pod', object },
      { kind: 'Sidecar', object: sidecar('shop/default', { egress: [{ hosts: ['./*'] }] }) },
      ...Object.entries(hosts).map(([host, port]) => entryOf(host, port)),
    );
    for (const [name, asked] of Object.entries(this.#services)) this.mesh.put(...(await this.#objectsOf(name, asked)));
    const { port: adsPort, rootPem } = this.#harness;
    this.#envoy = await startEnvoy({ nodeId: nodeIdOf(own), token: own.token, adsPort, rootPem });
    await untilListening(this.#envoy, this.#at);
  }

  /** One request by a connection of its own. */
  async ask(name: string, path = '/', request: AskedRequest = {}): Promise<Answer> {
    const { method = 'GET', headers = {}, body, principal } = request;
    const socket = await this.#connect(name, principal);
    try {
      const options = { method, path, headers: { host: 'shop.example', ...headers }, createConnection: () => socket };
      return await call(options, body === undefined ? undefined : Buffer.from(body));
    } finally {
      socket.destroy();
    }
  }

  /** What the TCP server of a Service says back, which it does at once; nothing when the connection is closed. */
  async say(name: string, principal?: string): Promise<string> {
    // Without the end of a line it might become HTTP.
    return sayBytes(await this.#connect(name, principal), 'tcp hello\n');
  }

  /** Requests that the application of a Service got. */
  got(name: string): EchoBackend['seen'] {
    return this.#backends.get(name)?.seen ?? [];
  }

  /** What the sidecar wrote. */
  log(): string {
    return this.#envoy?.log() ?? '';
  }

  /** The lines of JSON among that: of accesses. */
  logLines(): Record<string, unknown>[] {
    const lines = this.log().split('\n');
    return lines.filter((line) => line.startsWith('{') && line.endsWith('}')).map((line) => JSON.parse(line));
  }

  /** Waits for one: Envoy writes its logs some time after the answer. @param what is to be in it, in words */
  logLine(what: string, isIt: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    const found = async (): Promise<Record<string, unknown>> => {
      const line = this.logLines().find(isIt);
      if (line === undefined) throw new Error(this.log());
      return line;
    };
    return waitFor(`a line with ${what}`, found, { everyMs: 50 });
  }

  /** Notes of a policy's condition. */
  notes(policy: string): string {
    return this.mesh.snapshot.policies.get(`AuthorizationPolicy/shop/${policy}`)?.notes.join('\n') ?? '';
  }

  admin(path: string): Promise<string> {
    if (this.#envoy === undefined) throw new Error('the world has not started');
    return this.#envoy.admin(path);
  }

  async stop(): Promise<void> {
    await this.#envoy?.stop();
    await this.#harness?.stop();
    for (const backend of this.#backends.values()) backend.close();
    for (const server of this.#servers.values()) server.close();
  }

  /** Certificates, of the workload and of callers. */
  get credentials(): MeshCredentials {
    if (this.#credentials === undefined) throw new Error('the world has not started');
    return this.#credentials;
  }

  /** Asks until the answer has a status. @throws {Error} when it never has */
  async untilAnswered(status: number, name: string, request: AskedRequest): Promise<void> {
    for (const end = performance.now() + TRIES_MS; performance.now() < end; ) {
      if ((await this.ask(name, '/', request)).status === status) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`nobody is answered ${status}: ${this.#envoy?.log()}`);
  }

  #connect(name: string, principal: string | undefined) {
    const caller = { ...CALLER, ...(principal === undefined ? {} : { principal }) };
    return connectAs({ at: this.#at, credentials: this.credentials }, caller, this.#portOf(name));
  }

  #portOf(name: string): number {
    const server = this.#servers.get(name);
    // It listens on an address.
    const port = this.#backends.get(name)?.port ?? (server?.address() as AddressInfo | undefined)?.port;
    if (port === undefined) throw new Error(`there is no Service ${name}`);
    return port;
  }

  async #objectsOf(name: string, { protocol = 'http', policies }: AskedService): Promise<MeshObject[]> {
    if (protocol === 'http') this.#backends.set(name, await startEchoBackend(name));
    else this.#servers.set(name, await startTcpEcho());
    const ports = [{ name: protocol, port: 80, targetPort: this.#portOf(name) }];
    const targetRefs = [{ kind: 'Service', name }];
    return [
      { kind: 'Service', object: service(name, { app: 'web' }, { ports }) },
      ...policies.map((spec, index): MeshObject => {
        const key = `shop/${name}${index === 0 ? '' : `-${index}`}`;
        return { kind: 'AuthorizationPolicy', object: authorizationPolicy(key, { targetRefs, ...spec }) };
      }),
    ];
  }
}

/** A policy that asks a provider. @param rule about what; without one: about everything */
export function asking(name: string, rule: NonNullable<AuthorizationPolicySpec['rules']>[number] = {}) {
  return { action: 'CUSTOM' as const, provider: { name }, rules: [rule] };
}

/** A host of a provider, outside of the mesh. */
export function entryOf(host: string, port: number, namespace = 'auth'): MeshObject {
  const object = serviceEntry(`${namespace}/${host}`, {
    hosts: [host],
    exportTo: ['.'],
    location: 'MESH_EXTERNAL',
    resolution: 'STATIC',
    // What the port is called does not matter.
    ports: [{ number: 9000, name: 'tcp', protocol: 'TCP', targetPort: port }],
    endpoints: [{ address: '127.0.0.1' }],
  });
  return { kind: 'ServiceEntry', object };
}

async function startTcpEcho(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => socket.end(`heard ${data}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
