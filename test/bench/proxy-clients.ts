import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../operator/xds/resource.ts';
import { DELTA_PATH } from '../feature/support/ads-client.ts';
import { Frames } from './frames.ts';
import type { ClientsRequest, ServerReady } from './messages.ts';

/** The child that plays the proxies: each a TLS connection with a delta stream that asks for what Envoy asks for, and acknowledges. */

/** About as many bytes as the Node of the real Envoy. */
const NODE = node();
const FRAME_HEAD = 5;
/** Envoy's own, in bytes. */
const STREAM_WINDOW = 16 << 20;
const CONNECTION_WINDOW = 24 << 20;

function node(): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).string('sidecar~bench');
  return writer.tag(3, WireType.LengthDelimited).bytes(new Uint8Array(61_000)).finish();
}

class BenchProxy {
  /** By type: called when a response that comes after the first of the type is acknowledged. */
  readonly onNext = new Map<string, () => void>();
  settled: Promise<void>;
  private session: ClientHttp2Session;
  private stream: ClientHttp2Stream;
  private readonly server: ServerReady;
  private readonly index: number;
  /** By type and name, the versions it holds. */
  private readonly held = new Map<string, Map<string, string>>();
  private readonly seen = new Set<string>();
  private readonly clusters = new Set<string>();
  private frames = new Frames((message) => this.answer(message));
  private settle: () => void = () => undefined;
  private readonly uses: readonly string[] | undefined;

  constructor(server: ServerReady, index: number, uses: readonly string[] | undefined) {
    this.uses = uses;
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.server = server;
    this.index = index;
    [this.session, this.stream] = this.open();
    this.send(CLUSTER_TYPE, [], '', NODE);
  }

  /** Comes back as after a lost connection: says what it holds, and is settled once all of that was taken. */
  reconnect(): void {
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.stream.removeAllListeners('close');
    this.session.destroy();
    this.frames = new Frames((message) => this.answer(message));
    [this.session, this.stream] = this.open();
    const named = [...this.clusters];
    this.send(CLUSTER_TYPE, this.uses === undefined ? [] : ['*', ...this.uses], '', NODE, true);
    this.send(LISTENER_TYPE, [], '', undefined, true);
    this.send(ROUTE_TYPE, ['80'], '', undefined, true);
    this.send(VIRTUAL_HOST_TYPE, [], '', undefined, true);
    // Of what there is not it is told at once, when all before was read.
    this.onNext.set(ENDPOINT_TYPE, () => {
      this.onNext.clear();
      this.settle();
    });
    this.send(ENDPOINT_TYPE, [...named, 'there is none'], '', undefined, true);
  }

  private open(): [ClientHttp2Session, ClientHttp2Stream] {
    const session = connect(`https://localhost:${this.server.port}`, {
      ca: this.server.rootPem,
      settings: { initialWindowSize: STREAM_WINDOW },
    });
    session.on('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW));
    session.on('error', (error) => fail(error));
    const stream = session.request({
      ':method': 'POST',
      ':path': DELTA_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${this.index}`,
    });
    stream.on('error', (error) => fail(error));
    stream.on('close', () => fail(new Error(`stream ${this.index} ended`)));
    stream.on('data', (bytes: Buffer) => this.frames.take(bytes));
    return [session, stream];
  }

  private answer(bytes: Uint8Array): void {
    const { typeUrl, nonce, versions } = decodeResponse(bytes);
    const names = [...versions.keys()];
    const held = this.held.get(typeUrl) ?? new Map<string, string>();
    this.held.set(typeUrl, held);
    for (const [name, version] of versions) held.set(name, version);
    this.send(typeUrl, [], nonce);
    const first = !this.seen.has(typeUrl);
    this.seen.add(typeUrl);
    if (typeUrl === CLUSTER_TYPE) {
      this.follow(names);
    }
    if (this.uses !== undefined && first) {
      this.continueOnDemand(typeUrl, this.uses);
    } else if (first && typeUrl === ENDPOINT_TYPE) {
      this.send(LISTENER_TYPE, [], '');
    } else if (first && typeUrl === LISTENER_TYPE) {
      this.send(ROUTE_TYPE, ['80'], '');
    } else if (first && typeUrl === ROUTE_TYPE) {
      this.send(VIRTUAL_HOST_TYPE, [], '');
    } else if (first && typeUrl === VIRTUAL_HOST_TYPE) {
      this.settle();
    } else if (!first) {
      this.onNext.get(typeUrl)?.();
    }
  }

  /** What comes after the first response of a type, where requests then fall on some clusters. */
  private continueOnDemand(typeUrl: string, uses: readonly string[]): void {
    if (typeUrl === CLUSTER_TYPE) this.send(LISTENER_TYPE, [], '');
    else if (typeUrl === LISTENER_TYPE) this.send(ROUTE_TYPE, ['80'], '');
    else if (typeUrl === ROUTE_TYPE) this.send(VIRTUAL_HOST_TYPE, [], '');
    else if (typeUrl === VIRTUAL_HOST_TYPE) this.send(CLUSTER_TYPE, uses, '');
    else this.settle();
  }

  /** Asks for the endpoints of clusters that are new to it. */
  private follow(clusters: readonly string[]): void {
    const added = clusters.filter((name) => name.startsWith('outbound|') && !this.clusters.has(name));
    for (const name of added) this.clusters.add(name);
    if (added.length > 0) this.send(ENDPOINT_TYPE, added, '');
  }

  private send(typeUrl: string, names: readonly string[], nonce: string, node?: Uint8Array, resumes = false): void {
    const writer = new BinaryWriter();
    if (node !== undefined) {
      writer.tag(1, WireType.LengthDelimited).bytes(node);
    }
    writer.tag(2, WireType.LengthDelimited).string(typeUrl);
    for (const name of names) {
      writer.tag(3, WireType.LengthDelimited).string(name);
    }
    for (const [name, version] of resumes ? (this.held.get(typeUrl) ?? []) : []) {
      writer.tag(5, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.LengthDelimited).string(name).tag(2, WireType.LengthDelimited).string(version).join();
    }
    if (nonce !== '') {
      writer.tag(6, WireType.LengthDelimited).string(nonce);
    }
    const body = writer.finish();
    const frame = Buffer.alloc(FRAME_HEAD + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, FRAME_HEAD);
    this.stream.write(frame);
  }
}

function decodeResponse(bytes: Uint8Array): { typeUrl: string; nonce: string; versions: Map<string, string> } {
  const reader = new BinaryReader(bytes);
  const versions = new Map<string, string>();
  let typeUrl = '';
  let nonce = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) {
      versions.set(...nameAndVersion(reader.bytes()));
    } else if (field === 4) {
      typeUrl = reader.string();
    } else if (field === 5) {
      nonce = reader.string();
    } else {
      reader.skip(wireType);
    }
  }
  return { typeUrl, nonce, versions };
}

/** `Resource.name` and `Resource.version`. */
function nameAndVersion(bytes: Uint8Array): [name: string, version: string] {
  const reader = new BinaryReader(bytes);
  let version = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) return [reader.string(), version];
    if (field === 1) version = reader.string();
    else reader.skip(wireType);
  }
  return ['', version];
}

const proxies: BenchProxy[] = [];
let stopping = false;

function fail(error: Error): void {
  if (!stopping) {
    console.error(`bench proxy: ${error.message}`);
    process.exit(1);
  }
}

const now = (): number => performance.timeOrigin + performance.now();

process.on('message', async (request: ClientsRequest) => {
  if (request.kind === 'connect') {
    const added = Array.from(
      { length: request.count },
      (_, nth) => new BenchProxy(request.server, request.first + nth, request.uses),
    );
    proxies.push(...added);
    const at = await Promise.all(added.map((proxy) => proxy.settled.then(now)));
    process.send?.({ at });
    return;
  }
  if (request.kind === 'reconnect') {
    for (const proxy of proxies) proxy.reconnect();
    const at = await Promise.all(proxies.map((proxy) => proxy.settled.then(now)));
    process.send?.({ at });
    return;
  }
  const acknowledged = proxies.map(
    (proxy) =>
      new Promise<number>((resolve) => {
        proxy.onNext.set(request.typeUrl, () => {
          proxy.onNext.clear();
          resolve(now());
        });
      }),
  );
  process.send?.({ at: [] });
  process.send?.({ at: await Promise.all(acknowledged) });
});
process.on('disconnect', () => {
  stopping = true;
  process.exit(0);
});
process.send?.({ at: [] });
