import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Completes the handshake of RFC 6455 and sends every text message back; ends on a close frame. */
export function acceptWebSocket(request: IncomingMessage, socket: Duplex): void {
  const key = request.headers['sec-websocket-key'];
  socket.on('error', () => socket.destroy());
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
    return;
  }
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'upgrade: websocket',
    'connection: Upgrade',
    `sec-websocket-accept: ${accept}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== undefined; frame = readFrame(pending)) {
      pending = pending.subarray(frame.size);
      if (frame.opcode === 8) socket.end(writeFrame(8, frame.payload));
      if (frame.opcode === 1) socket.write(writeFrame(1, frame.payload));
    }
  });
}

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Bytes the frame took. */
  readonly size: number;
}

/** Reads one masked frame (RFC 6455, section 5.2) of up to 64 KiB; undefined while it is not complete. */
function readFrame(data: Buffer): Frame | undefined {
  if (data.length < 6) return undefined;
  const short = (data[1] ?? 0) & 0x7f;
  const offset = short === 126 ? 4 : 2;
  const length = short === 126 ? data.readUInt16BE(2) : short;
  const size = offset + 4 + length;
  if (data.length < size) return undefined;
  const mask = data.subarray(offset, offset + 4);
  const payload = Buffer.from(data.subarray(offset + 4, size));
  for (const [i, byte] of payload.entries()) payload[i] = byte ^ (mask[i % 4] ?? 0);
  return { opcode: (data[0] ?? 0) & 0x0f, payload, size };
}

function writeFrame(opcode: number, payload: Buffer): Buffer {
  const head = payload.length < 126 ? Buffer.from([0x80 | opcode, payload.length]) : Buffer.alloc(4);
  if (payload.length >= 126) {
    head.writeUInt16BE(((0x80 | opcode) << 8) | 126);
    head.writeUInt16BE(payload.length, 2);
  }
  return Buffer.concat([head, payload]);
}
