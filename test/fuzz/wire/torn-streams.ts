import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { mutateBytes } from '../engine/mutate-bytes.ts';
import type { Random } from '../engine/random.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
/** Types of frames of HTTP/2, and some that are none. */
const FRAME_TYPES = 14;

/** What a client says first to a port of TLS, by recording one that is nowhere. */
export async function recordClientHello(protocols: readonly string[]): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    ALPNProtocols: [...protocols],
  });
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  const [hello] = await once(socket, 'data');
  client.destroy();
  socket.destroy();
  server.close();
  await once(server, 'close');
  return hello;
}

/** Bytes of no meaning. */
export function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 1 + random.below(2000) }, () => random.below(256)));
}

/** Bytes with some changes, that may end anywhere. */
export function torn(bytes: Uint8Array, random: Random): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let changes = random.below(4); changes > 0; changes--) changed = mutateBytes(changed, bytes, [], random);
  return random.below(2) === 0 ? changed : changed.subarray(0, random.below(changed.length + 1));
}

/** A connection of HTTP/2 that begins well, and goes on with frames of any kind that hold anything, or less than they say. */
export function tornFrames(random: Random): Buffer {
  const frames = Array.from({ length: 1 + random.below(20) }, () => {
    const content = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)));
    return frame(random.below(FRAME_TYPES), random.below(256), random.below(8), content, random.below(8) === 0 ? 3 : 0);
  });
  // The path and content type of the xDS port are in no table, so they are written out, as HPACK allows.
  const call = [
    ...pseudo(':method', 'POST'),
    ...pseudo(':path', '/a/b'),
    ...pseudo('content-type', 'application/grpc'),
  ];
  const begin = [
    PREFACE,
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
    frame(HEADERS, 4, 1, Buffer.from(call)),
    frame(DATA, 0, 1, Buffer.alloc(5)),
  ];
  return torn(Buffer.concat([...begin.slice(0, 1 + random.below(4)), ...frames]), random);
}

/** @param more bytes that it says it has besides */
function frame(type: number, flags: number, stream: number, content: Uint8Array, more = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length + more, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

/** A header that is written out. */
function pseudo(name: string, value: string): number[] {
  return [0, name.length, ...Buffer.from(name), value.length, ...Buffer.from(value)];
}

/** Sends bytes over TCP, and waits until the connection is closed, by whomever. */
export async function sendPlain(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
  await closed(socket);
}

/** Sends bytes over TLS. */
export async function sendOverTls(port: number, protocols: readonly string[], bytes: Uint8Array): Promise<void> {
  const options = { port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [...protocols] };
  const socket = connectTls(options, () => socket.end(bytes));
  await closed(socket);
}

async function closed(socket: ReturnType<typeof connect>): Promise<void> {
  socket.on('error', () => undefined).resume();
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
