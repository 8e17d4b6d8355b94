import type { ServerHttp2Stream } from 'node:http2';
import { Metadata } from '@grpc/grpc-js';
import type { Call } from './proxy-call.ts';
import type { MessageReader, ResponseMessage } from './response.ts';

/** Of a message, so many bytes are written at once. With HTTP/2's frames they stay below the next step in which Node's TLS makes room. */
const PIECE_BYTES = (1 << 15) - 64;
/** Most pieces' memory that is kept for the next ones. */
const MOST_SPARE = 64;

const spare: Buffer[] = [];

interface Waiting {
  readonly message: ResponseMessage;
  readonly reader: MessageReader;
}

/**
 * Writes messages to a call piece by piece, each when the one before is with the kernel. gRPC would make a buffer of each message, which HTTP/2 writes at
 * once as far as the other end has room, and Node's TLS keeps room for a connection's two largest writes as long as it lives: a megabyte for each proxy.
 */
export class MessageWriter {
  private readonly call: Call;
  private readonly stream: ServerHttp2Stream;
  private readonly stallMs: number;
  private readonly stalled: () => void;
  private readonly waiting: Waiting[] = [];
  private watch: NodeJS.Timeout | undefined;
  private isOver = false;

  /** @param stalled is called when the other end has taken nothing of what is written for `stallMs` */
  constructor(call: Call, stallMs: number, stalled: () => void) {
    this.call = call;
    this.stream = streamOf(call);
    this.stallMs = stallMs;
    this.stalled = stalled;
  }

  /** Writes a message behind those that wait. */
  write(message: ResponseMessage): void {
    this.waiting.push({ message, reader: message.read() });
    if (this.watch !== undefined || this.isOver) return;
    this.watch = setTimeout(this.stalled, this.stallMs).unref();
    this.call.sendMetadata(NO_METADATA);
    this.next();
  }

  /** Writes nothing more. */
  stop(): void {
    this.isOver = true;
    this.rest();
  }

  private rest(): void {
    clearTimeout(this.watch);
    this.watch = undefined;
  }

  private next(): void {
    const [first] = this.waiting;
    if (this.isOver || first === undefined || !this.stream.writable) {
      this.rest();
      return;
    }
    const { message, reader } = first;
    const isSmall = message.framedSize < PIECE_BYTES;
    const room = isSmall
      ? Buffer.allocUnsafe(message.framedSize)
      : (spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES));
    const piece = room.subarray(0, reader.into(room));
    if (reader.isDone) this.waiting.shift();
    this.stream.write(piece, () => {
      if (!isSmall && spare.length < MOST_SPARE) spare.push(room);
      this.watch?.refresh();
      this.next();
    });
  }
}

const NO_METADATA = new Metadata();

/** The HTTP/2 stream of a call. grpc-js takes whole messages alone, and has the stream for itself. @throws Error when this version has it elsewhere */
function streamOf(call: Call): ServerHttp2Stream {
  const { stream } = (call as unknown as { readonly call: { readonly stream?: ServerHttp2Stream } }).call;
  if (typeof stream?.write !== 'function')
    throw new Error('grpc-js keeps the HTTP/2 stream of a call elsewhere than it did');
  return stream;
}
