import type { IncomingMessage } from 'node:http';

/** Largest body: an API server's objects are at most 1.5 MB, and an update's review holds two. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** What all requests together may hold at once; more than that is not an API server at work. */
export const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** A request that is answered with this status code and sentence. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Bytes of unfinished requests, all connections together. */
export class BodyBudget {
  #bytes = 0;
  readonly #limit: number;

  constructor(limit: number = MAX_BUFFERED_BYTES) {
    this.#limit = limit;
  }

  /**
   * Reads a body into memory.
   * @throws {HttpError} 413 when it is too long, 503 when the budget is spent, 400 when the client ended it too early
   */
  async read(request: IncomingMessage, maxBytes: number = MAX_BODY_BYTES): Promise<Buffer> {
    const declared = Number(request.headers['content-length'] ?? 0);
    if (declared > maxBytes) throw tooLarge(maxBytes);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      // Left early, the loop must not take the connection with it: the answer goes over it.
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        size += chunk.length;
        this.#bytes += chunk.length;
        if (size > maxBytes) throw tooLarge(maxBytes);
        if (this.#bytes > this.#limit) throw new HttpError(503, 'too many requests at once, try again');
        chunks.push(chunk);
      }
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw new HttpError(400, 'the body ended too early');
    } finally {
      this.#bytes -= size;
    }
    return Buffer.concat(chunks, size);
  }
}

/** How long the rest of a rejected body is read and thrown away; milliseconds. */
const DRAIN_MS = 1000;

/** Reads on for a moment without keeping anything: a client that is still sending would otherwise get a reset instead of the answer. */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  request.once('end', resolve).once('close', resolve).resume();
  await promise;
  clearTimeout(timer);
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, `the body is longer than ${maxBytes} bytes`);
}
