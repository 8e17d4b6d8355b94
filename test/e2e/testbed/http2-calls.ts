import { type ClientHttp2Session, connect } from 'node:http2';
import { type CallResult, type HttpCall, noAnswer } from './calls.ts';
import { flatHeaders } from './echo.ts';
import { MessageReader, writeMessage } from './grpc-frame.ts';

/** Sessions of HTTP/2 without TLS (prior knowledge), one for each origin, kept until closed. */
export class Http2Sessions {
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** The open session to an origin, or a new one. */
  to(origin: string): ClientHttp2Session {
    const known = this.#sessions.get(origin);
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(origin);
    // The calls on it hear of it too; without a listener it would end the process.
    session.on('error', () => {});
    this.#sessions.set(origin, session);
    return session;
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close();
  }
}

/**
 * One HTTP/2 request without TLS (prior knowledge). A header `host` becomes `:authority`.
 * @param sessions default: a session of its own
 * @throws {Error} when there is no answer
 */
export function callHttp2(
  url: string,
  { method, headers, body, timeoutMs }: HttpCall,
  sessions?: Http2Sessions,
): Promise<CallResult> {
  const { origin, pathname, search } = new URL(url);
  const own = sessions ?? new Http2Sessions();
  return new Promise<CallResult>((resolve, reject) => {
    const session = own.to(origin);
    session.once('error', reject);
    const stream = session.request({ ...authority(headers), ':method': method, ':path': pathname + search });
    const timer = setTimeout(() => stream.destroy(noAnswer()), timeoutMs);
    const chunks: Buffer[] = [];
    let answered: Record<string, string> = {};
    stream.on('response', (received) => {
      answered = flatHeaders(received);
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      clearTimeout(timer);
      session.off('error', reject);
      if (sessions === undefined) own.close();
      // A stream that is reset after its headers may end without an error.
      reject(new Error('the stream was closed without an answer'));
    });
    stream.on('end', () => {
      if (answered[':status'] === undefined) return;
      resolve({ status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() });
    });
    stream.end(body);
  });
}

/**
 * One gRPC call. A single message is sent together with the end of the request, as unary calls are; several go one after the
 * other, each after the answer to the one before.
 * @param headers metadata; a header `host` becomes `:authority`
 * @param sessions default: a session of its own
 * @returns the gRPC status (-1: none came), wherever it stood, the answer's headers with its trailers, and the answers, one a line
 * @throws {Error} when there is no answer
 */
export function callGrpc(
  origin: string,
  path: string,
  messages: readonly string[],
  timeoutMs: number,
  headers: Readonly<Record<string, string>> = {},
  sessions?: Http2Sessions,
): Promise<CallResult> {
  const own = sessions ?? new Http2Sessions();
  return new Promise<CallResult>((resolve, reject) => {
    const session = own.to(origin);
    session.once('error', reject);
    const stream = session.request({
      ...authority(headers),
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const timer = setTimeout(() => stream.destroy(noAnswer()), timeoutMs);
    const reader = new MessageReader();
    const answers: string[] = [];
    let answered: Record<string, string> = {};
    const sendNext = (): void => {
      const message = messages[answers.length];
      if (message !== undefined) stream.write(writeMessage(Buffer.from(message)));
      if (message === undefined || messages.length === 1) stream.end();
    };
    const read = (received: Parameters<typeof flatHeaders>[0]): void => {
      answered = { ...answered, ...flatHeaders(received) };
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('data', (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        answers.push(message.toString());
        if (messages.length > 1) sendNext();
      }
    });
    // An answer of nothing but trailers comes while messages are still to be sent.
    stream.on('end', () => stream.writableEnded || stream.end());
    stream.on('error', reject);
    stream.on('close', () => {
      clearTimeout(timer);
      session.off('error', reject);
      if (sessions === undefined) own.close();
      resolve({ status: Number(answered['grpc-status'] ?? -1), headers: answered, body: answers.join('\n') });
    });
    sendNext();
  });
}

function authority(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { host, ...rest } = headers;
  return host === undefined ? rest : { ...rest, ':authority': host };
}
