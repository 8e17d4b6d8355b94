import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../operator/xds/resource.ts';
import { DELTA_PATH } from '../feature/support/ads-client.ts';
import { readDeltaResponse } from './delta-response.ts';
import { Frames } from './frames.ts';
import type { Manner, ProxyPod, ServerPlace } from './messages.ts';
import { proxyNode } from './proxy-node.ts';
import { authoritiesOf } from './uses.ts';

const NODE = proxyNode('sidecar~bench');
const FRAME_HEAD = 5;
/** Envoy's own, in bytes. */
const STREAM_WINDOW = 16 << 20;
const CONNECTION_WINDOW = 24 << 20;
/** Of a proxy that hardly reads. */
const NARROW_WINDOW = 65_535;
/** Envoy comes back after a while that it draws, in ms. */
const BACKOFF_MS = 500;
/** A ping that is not answered for so long ends the connection, as in our bootstrap, in ms. */
const PING_MS = 10_000;
const INVALID_ARGUMENT = 3;

/** How a proxy is played. */
export interface BenchProxyOptions {
  /** Where it finds the control plane, each time that it connects. */
  server(): ServerPlace;
  readonly index: number;
  /** Clusters that it asks for by name; absent: it has all from the wildcard. */
  readonly uses?: readonly string[];
  /** Absent: its stream may not end. */
  readonly lasting?: Manner;
  /** Absent: its index is its token. */
  readonly pod?: ProxyPod;
  fail(error: Error): void;
}

interface HowToSend {
  readonly node?: Uint8Array | undefined;
  readonly resumes?: boolean;
  readonly refuses?: boolean;
  readonly unsubscribe?: readonly string[];
}

interface Held {
  readonly version: string;
  readonly checksum: number;
}

/** A proxy: a TLS connection with a delta stream that asks for what Envoy asks for, and acknowledges. */
export class BenchProxy {
  /** By type: called when a response that comes after the first of the type is acknowledged. */
  readonly onNext = new Map<string, () => void>();
  /** Called with the names of endpoints that arrive. */
  onEndpoints: ((names: readonly string[]) => void) | undefined;
  /** How often it came back. */
  returns = 0;
  settled: Promise<void>;
  private readonly options: BenchProxyOptions;
  private session: ClientHttp2Session | undefined;
  private stream: ClientHttp2Stream | undefined;
  /** By type and name, what it holds. */
  private readonly held = new Map<string, Map<string, Held>>();
  /** By type, in the order of asking, what it asked for by name. */
  private readonly asked = new Map<string, Set<string>>();
  private readonly seen = new Set<string>();
  private frames = new Frames((message) => this.answer(message));
  private settle: () => void = () => undefined;
  private pings: NodeJS.Timeout | undefined;
  private isRouted = false;

  constructor(options: BenchProxyOptions) {
    this.options = options;
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.open();
    this.ask(CLUSTER_TYPE, []);
    // It never has everything.
    if (options.lasting === 'refuses' || options.lasting === 'hardly reads') this.settle();
  }

  /** Comes back as after a lost connection: says what it holds, and is settled once all of that was taken. */
  reconnect(): void {
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.close();
    this.resume();
    // Of what there is not it is told at once, when all before was read.
    this.onNext.set(ENDPOINT_TYPE, () => {
      this.onNext.clear();
      this.settle();
    });
    this.send(ENDPOINT_TYPE, ['there is none'], '');
  }

  /** Whether it has anything that its control plane sent under a name. */
  holds(typeUrl: string, name: string): boolean {
    return this.held.get(typeUrl)?.has(name) === true;
  }

  /** One number for each type that is the same for two proxies that hold the same, however they came to it; where checksums are kept. */
  digest(): Readonly<Record<string, string>> {
    const digests = [...this.held].map(([typeUrl, resources]): [string, string] => {
      let sum = 0;
      for (const { checksum } of resources.values()) sum = (sum + checksum) % Number.MAX_SAFE_INTEGER;
      return [typeUrl, `${resources.size} ${sum}`];
    });
    return Object.fromEntries(digests.sort());
  }

  /** Names and checksums of all that it holds of a type. */
  contents(typeUrl: string): ReadonlyMap<string, number> {
    return new Map([...(this.held.get(typeUrl) ?? [])].map(([name, { checksum }]) => [name, checksum]));
  }

  /** One more stream of its connection; undefined while there is none. */
  beside(path: string): ClientHttp2Stream | undefined {
    return this.session?.destroyed === false ? this.session.request(this.headers(path)) : undefined;
  }

  /** Who it is, as it says in the first message of a stream. */
  node(): Uint8Array {
    const { pod } = this.options;
    return pod === undefined ? NODE : proxyNode(pod.nodeId);
  }

  close(): void {
    clearInterval(this.pings);
    this.stream?.removeAllListeners('close');
    this.session?.destroy();
  }

  private resume(): void {
    this.open();
    let node: Uint8Array | undefined = this.node();
    for (const [typeUrl, names] of this.asked) {
      const wildcard = [CLUSTER_TYPE, VIRTUAL_HOST_TYPE].includes(typeUrl) && names.size > 0;
      this.send(typeUrl, wildcard ? ['*', ...names] : [...names], '', { node, resumes: true });
      node = undefined;
    }
  }

  private comeBack(): void {
    this.close();
    const wait = BACKOFF_MS * (0.5 + Math.random());
    setTimeout(() => {
      this.returns += 1;
      this.resume();
    }, wait);
  }

  private headers(path: string): OutgoingHttpHeaders {
    const { index, pod } = this.options;
    const common = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
    return { ...common, ':path': path, authorization: `Bearer ${pod?.token ?? index}` };
  }

  private open(): void {
    const { lasting, index, pod } = this.options;
    const slow = lasting === 'hardly reads';
    const { port, certificate, serverName = 'localhost' } = this.options.server();
    const session = connect(`https://${pod ? '127.0.0.1' : 'localhost'}:${port}`, {
      ca: certificate.rootPem,
      ...(pod && { localAddress: pod.address, servername: serverName }),
      settings: { initialWindowSize: slow ? NARROW_WINDOW : STREAM_WINDOW },
    });
    if (!slow) session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW));
    const stream = session.request(this.headers(DELTA_PATH));
    this.frames = new Frames((message) => this.answer(message));
    this.session = session;
    this.stream = stream;
    const lost = (error: Error): void => {
      if (lasting === undefined) this.options.fail(error);
    };
    session.on('error', lost);
    stream.on('error', lost);
    stream.on('close', () => (lasting === undefined ? lost(new Error(`stream ${index} ended`)) : this.comeBack()));
    if (slow) this.readSlowly(stream);
    else stream.on('data', (bytes: Buffer) => this.frames.take(bytes));
    if (lasting !== undefined) this.watch(session);
  }

  private watch(session: ClientHttp2Session): void {
    clearInterval(this.pings);
    let answered = true;
    this.pings = setInterval(() => {
      if (session.destroyed || session.connecting) return;
      if (!answered) session.destroy();
      else {
        answered = false;
        session.ping(() => {
          answered = true;
        });
      }
    }, PING_MS);
  }

  private readSlowly(stream: ClientHttp2Stream): void {
    stream.pause();
    const reading = setInterval(() => void stream.read(1), 1000);
    stream.once('close', () => clearInterval(reading));
  }

  private answer(bytes: Buffer): void {
    const { typeUrl, nonce, resources, removed } = readDeltaResponse(bytes, this.options.lasting !== undefined);
    if (this.options.lasting === 'refuses') {
      this.send(typeUrl, [], nonce, { refuses: true });
      return;
    }
    const held = this.held.get(typeUrl) ?? new Map<string, Held>();
    this.held.set(typeUrl, held);
    for (const resource of resources) held.set(resource.name, resource);
    for (const name of removed) held.delete(name);
    if (typeUrl === ENDPOINT_TYPE) this.onEndpoints?.(resources.map(({ name }) => name));
    this.send(typeUrl, [], nonce);
    const first = !this.seen.has(typeUrl);
    this.seen.add(typeUrl);
    if (typeUrl === CLUSTER_TYPE) {
      this.giveUp(removed);
      this.follow(resources.map(({ name }) => name));
    }
    if (first) this.continue(typeUrl);
    else if (this.options.uses !== undefined && typeUrl === VIRTUAL_HOST_TYPE && !this.isRouted)
      this.use(this.options.uses);
    else this.onNext.get(typeUrl)?.();
  }

  /** There are routes, so requests fall on clusters. */
  private use(clusters: readonly string[]): void {
    this.isRouted = true;
    this.ask(CLUSTER_TYPE, clusters);
  }

  /** What comes after the first response of a type; on demand, there are requests once there is a listener. */
  private continue(typeUrl: string): void {
    const { uses } = this.options;
    const after = uses === undefined ? ENDPOINT_TYPE : CLUSTER_TYPE;
    if (typeUrl === after) this.ask(LISTENER_TYPE, []);
    else if (typeUrl === LISTENER_TYPE) this.ask(ROUTE_TYPE, ['80']);
    else if (typeUrl === ROUTE_TYPE) this.ask(VIRTUAL_HOST_TYPE, []);
    else if (typeUrl === VIRTUAL_HOST_TYPE && uses !== undefined) this.ask(VIRTUAL_HOST_TYPE, authoritiesOf(uses));
    else if (typeUrl !== CLUSTER_TYPE) this.settle();
  }

  /** Asks for the endpoints of clusters that are new to it. */
  private follow(clusters: readonly string[]): void {
    const known = this.asked.get(ENDPOINT_TYPE);
    const added = clusters.filter((name) => name.startsWith('outbound|') && known?.has(name) !== true);
    if (added.length > 0) this.ask(ENDPOINT_TYPE, added);
  }

  /** With a cluster go its endpoints, as in Envoy. */
  private giveUp(clusters: readonly string[]): void {
    const asked = this.asked.get(ENDPOINT_TYPE);
    const unsubscribe = clusters.filter((name) => asked?.delete(name) === true);
    for (const name of unsubscribe) this.held.get(ENDPOINT_TYPE)?.delete(name);
    if (unsubscribe.length > 0) this.send(ENDPOINT_TYPE, [], '', { unsubscribe });
  }

  private ask(typeUrl: string, names: readonly string[]): void {
    const first = this.asked.size === 0;
    const asked = this.asked.get(typeUrl) ?? new Set();
    this.asked.set(typeUrl, asked);
    for (const name of names) asked.add(name);
    this.send(typeUrl, names, '', { node: first ? this.node() : undefined });
  }

  private send(typeUrl: string, names: readonly string[], nonce: string, how: HowToSend = {}): void {
    const writer = new BinaryWriter();
    if (how.node !== undefined) writer.tag(1, WireType.LengthDelimited).bytes(how.node);
    writer.tag(2, WireType.LengthDelimited).string(typeUrl);
    for (const name of names) writer.tag(3, WireType.LengthDelimited).string(name);
    for (const name of how.unsubscribe ?? []) writer.tag(4, WireType.LengthDelimited).string(name);
    for (const [name, { version }] of how.resumes === true ? (this.held.get(typeUrl) ?? []) : []) {
      writer.tag(5, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(name).tag(2, WireType.LengthDelimited).string(version).join();
    }
    if (nonce !== '') writer.tag(6, WireType.LengthDelimited).string(nonce);
    if (how.refuses === true) {
      writer.tag(7, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(INVALID_ARGUMENT);
      writer.tag(2, WireType.LengthDelimited).string('refused by the bench').join();
    }
    const body = writer.finish();
    const frame = Buffer.alloc(FRAME_HEAD + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, FRAME_HEAD);
    this.stream?.write(frame);
  }
}
