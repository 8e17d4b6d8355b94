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
  readonly settled: Promise<void>;
  readonly session: ClientHttp2Session;
  private readonly stream: ClientHttp2Stream;
  private readonly seen = new Set<string>();
  private readonly clusters = new Set<string>();
  private readonly frames = new Frames((message) => this.answer(message));
  private settle: () => void = () => undefined;
  private readonly uses: readonly string[] | undefined;

  constructor(server: ServerReady, index: number, uses: readonly string[] | undefined) {
    this.uses = uses;
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.session = connect(`https://localhost:${server.port}`, {
      ca: server.rootPem,
      settings: { initialWindowSize: STREAM_WINDOW },
    });
    this.session.on('connect', () => this.session.setLocalWindowSize(CONNECTION_WINDOW));
    this.session.on('error', (error) => fail(error));
    this.stream = this.session.request({
      ':method': 'POST',
      ':path': DELTA_PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${index}`,
    });
    this.stream.on('error', (error) => fail(error));
    this.stream.on('close', () => fail(new Error(`stream ${index} ended`)));
    this.stream.on('data', (bytes: Buffer) => this.frames.take(bytes));
    this.send(CLUSTER_TYPE, [], '', NODE);
  }

  private answer(bytes: Uint8Array): void {
    const { typeUrl, nonce, names } = decodeResponse(bytes);
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

  private send(typeUrl: string, names: readonly string[], nonce: string, node?: Uint8Array): void {
    const writer = new BinaryWriter();
    if (node !== undefined) {
      writer.tag(1, WireType.LengthDelimited).bytes(node);
    }
    writer.tag(2, WireType.LengthDelimited).string(typeUrl);
    for (const name of names) {
      writer.tag(3, WireType.LengthDelimited).string(name);
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

function decodeResponse(bytes: Uint8Array): { typeUrl: string; nonce: string; names: string[] } {
  const reader = new BinaryReader(bytes);
  const names: string[] = [];
  let typeUrl = '';
  let nonce = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 2) {
      names.push(resourceName(reader.bytes()));
    } else if (field === 4) {
      typeUrl = reader.string();
    } else if (field === 5) {
      nonce = reader.string();
    } else {
      reader.skip(wireType);
    }
  }
  return { typeUrl, nonce, names };
}

/** `Resource.name`. */
function resourceName(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) {
      return reader.string();
    }
    reader.skip(wireType);
  }
  return '';
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
