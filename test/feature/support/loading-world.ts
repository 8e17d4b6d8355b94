import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { LOADING_ANNOTATION } from '../../../api/pod-names.ts';
import type { MeshObject } from '../../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS } from '../../../operator/mesh/testing/objects.ts';
import { type AdsHarness, nodeIdOf, startHarness } from './ads-harness.ts';
import { boundListeners } from './bound-listeners.ts';
import { sendBytes } from './byte-counter.ts';
import type { Echo } from './echo-backend.ts';
import { type EnvoyProcess, startEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import { call } from './http-call.ts';
import { httpListener, MeshOnStream } from './mesh-on-stream.ts';
import type { TrafficConnection, TrafficRequest } from './random-traffic.ts';
import { addressOf, type Loading } from './sidecar-on-stream.ts';

/** No request may take as long. */
const ANSWER_MS = 15_000;
/** Headers that no two requests have alike. */
const OWN = new Set(['x-request-id', 'x-envoy-upstream-service-time', 'date']);
const HELLO: TrafficRequest = {
  protocol: 'HTTP/1.1',
  method: 'GET',
  host: 'marker.example.com',
  path: '/',
  headers: {},
  bytes: 0,
};

interface Heard {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function shown(headers: IncomingHttpHeaders): Record<string, unknown> {
  const isTold = (name: string): boolean =>
    (name.startsWith('x-') && !OWN.has(name)) || name === 'host' || name === ':authority';
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isTold(name)));
}

/** A body without what no two requests have alike. */
function shownBody(body: string): unknown {
  if (!body.startsWith('{')) return body;
  const echo = JSON.parse(body) as Echo;
  return { ...echo, headers: shown(echo.headers) };
}

/** A mesh with one sidecar of its own, which loads its configuration in one of the ways there are. */
export class LoadingWorld {
  readonly mesh = new MeshOnStream(SETTINGS);
  /** Of the Services of TCP: that of its listener, so two worlds can't have the same. */
  tcpPort = 0;
  private harness: AdsHarness | undefined;
  private envoy: EnvoyProcess | undefined;
  private at = 0;
  private session: ClientHttp2Session | undefined;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 16 });

  /** @param objects of the mesh, given the port of its Services of TCP */
  async start(loading: Loading, objects: (tcpPort: number) => readonly MeshObject[]): Promise<void> {
    const [cache] = this.mesh.sources;
    if (cache === undefined) throw new Error('a mesh has a source');
    this.tcpPort = await freePort();
    this.at = await freePort();
    this.harness = await startHarness([cache, boundListeners(this.mesh.cache, [this.tcpPort], this.mesh.listeners)]);
    const client = this.harness.addPod('client');
    const own = pod('client', { uid: client.uid, address: client.ips[0] ?? '' });
    own.metadata = { ...own.metadata, annotations: { ...own.metadata?.annotations, [LOADING_ANNOTATION]: loading } };
    this.mesh.put({ kind: 'Pod', object: own }, ...objects(this.tcpPort));
    this.mesh.listeners.update([httpListener(this.at, 80, loading === 'on-demand')]);
    const { port: adsPort, rootPem } = this.harness;
    this.envoy = await startEnvoy({ nodeId: nodeIdOf(client), token: client.token, adsPort, rootPem });
  }

  /** Everything that can be told apart of the answer, as text. */
  async ask(one: TrafficRequest | TrafficConnection): Promise<string> {
    try {
      if (one.protocol === 'TCP') return `heard ${await this.connect(one)}`;
      const { status, headers, body } = await this.hear(one);
      const { location } = headers;
      return JSON.stringify({ status, headers: shown(headers), location, body: shownBody(body) });
    } catch (error) {
      return `error: ${String(error)}`;
    }
  }

  /** Waits until a host that answers by itself says what it was last told to. */
  async reached(mark: string): Promise<void> {
    for (const end = performance.now() + 20_000; performance.now() < end; ) {
      if ((await this.ask(HELLO)).includes(mark)) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`${mark} did not arrive: ${this.envoy?.log()}`);
  }

  /** Outbound clusters that the proxy has. */
  async clusters(): Promise<number> {
    const text = (await this.envoy?.admin('/clusters')) ?? '';
    return new Set([...text.matchAll(/^(outbound\|[^:]*)::/gm)].map(([, name]) => name)).size;
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    this.session?.destroy();
    await this.envoy?.stop();
    await this.harness?.stop();
  }

  /** Services of TCP are named after the number of their address: `t1`. */
  private connect({ host, bytes }: TrafficConnection): Promise<string> {
    return sendBytes({ address: addressOf(Number(host.slice(1))), port: this.tcpPort, bytes });
  }

  private async hear(one: TrafficRequest): Promise<Heard> {
    const { protocol, method, host, path, headers, bytes } = one;
    if (protocol === 'HTTP/2') return this.hearHttp2(one);
    if (protocol === 'WebSocket') return this.hearWebSocket(one);
    const options = { agent: this.agent, port: this.at, method, path, headers: { ...headers, host } };
    const body = method === 'POST' ? Buffer.alloc(bytes) : undefined;
    return call({ ...options, signal: AbortSignal.timeout(ANSWER_MS) }, body);
  }

  private hearHttp2({ method, host, path, headers, bytes }: TrafficRequest): Promise<Heard> {
    if (this.session === undefined || this.session.destroyed || this.session.closed) {
      this.session = connectHttp2(`http://127.0.0.1:${this.at}`);
      this.session.on('error', () => {});
    }
    const { session } = this;
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':method': method, ':path': path, ':authority': host, ...headers });
      let answer: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
      let body = '';
      stream.setTimeout(ANSWER_MS, () => stream.close());
      stream.on('response', (received) => {
        answer = received;
      });
      stream.on('data', (data: Buffer) => {
        body += data.toString();
      });
      stream.on('error', reject);
      stream.on('end', () => resolve({ status: answer[':status'], headers: answer, body }));
      stream.on('close', () => reject(new Error('the stream was closed')));
      stream.end(method === 'POST' ? Buffer.alloc(bytes) : undefined);
    });
  }

  /** Where it is upgraded, the body is what comes back of what is sent then. */
  private hearWebSocket({ host, path, headers }: TrafficRequest): Promise<Heard> {
    return new Promise((resolve, reject) => {
      const upgrade = { connection: 'upgrade', upgrade: 'websocket' };
      const sent = request({
        ...{ host: '127.0.0.1', port: this.at, path, agent: false, signal: AbortSignal.timeout(ANSWER_MS) },
        headers: { ...headers, ...upgrade, host },
      });
      sent.on('error', reject);
      sent.on('response', (response) => {
        let body = '';
        response.on('data', (data: Buffer) => {
          body += data.toString();
        });
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
      });
      sent.on('upgrade', (response, socket, head) => {
        let body = head.toString();
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('the WebSocket was closed')));
        socket.on('data', (data: Buffer) => {
          body += data.toString();
          if (body.length < 'hello'.length) return;
          resolve({ status: response.statusCode, headers: response.headers, body });
          socket.destroy();
        });
        socket.write('hello');
      });
      sent.end();
    });
  }
}
