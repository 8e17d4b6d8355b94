import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { flatHeaders } from './echo.ts';
import { MessageReader, writeMessage } from './grpc-frame.ts';

/** What came of one call; `error` alone when nothing was answered. */
export interface CallResult {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly error?: string;
}

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly timeoutMs: number;
}

/** Code of an error, e.g. ECONNRESET, or its message. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'message' in error ? String(error.message) : String(error);
}

const noAnswer = (): Error => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** One HTTP/1.1 request on a connection of its own. @throws {Error} when there is no answer */
export function callHttp(url: string, { method, headers, body, timeoutMs }: HttpCall): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: flatHeaders(response.headers),
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    outgoing.on('timeout', () => outgoing.destroy(noAnswer()));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** One HTTP/2 request without TLS (prior knowledge). @throws {Error} when there is no answer */
export function callHttp2(url: string, { method, headers, body, timeoutMs }: HttpCall): Promise<CallResult> {
  const { origin, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const session = connectHttp2(origin);
    session.on('error', reject);
    const stream = session.request({ ...headers, ':method': method, ':path': pathname + search });
    stream.setTimeout(timeoutMs, () => stream.destroy(noAnswer()));
    const chunks: Buffer[] = [];
    let answered: Record<string, string> = {};
    stream.on('response', (received) => {
      answered = flatHeaders(received);
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => session.close());
    stream.on('end', () =>
      resolve({ status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() }),
    );
    stream.end(body);
  });
}

/**
 * One gRPC call that sends `messages` one after the other, each after the answer to the one before.
 * @returns the gRPC status and the answers, one a line
 * @throws {Error} when there is no answer
 */
export function callGrpc(
  origin: string,
  path: string,
  messages: readonly string[],
  timeoutMs: number,
): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(origin);
    session.on('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.setTimeout(timeoutMs, () => stream.destroy(noAnswer()));
    const reader = new MessageReader();
    const answers: string[] = [];
    let status = -1;
    const sendNext = (): void => {
      const message = messages[answers.length];
      if (message === undefined) stream.end();
      else stream.write(writeMessage(Buffer.from(message)));
    };
    const readStatus = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers['grpc-status'] !== undefined) status = Number(headers['grpc-status']);
    };
    stream.on('response', readStatus);
    stream.on('trailers', readStatus);
    stream.on('data', (chunk: Buffer) => {
      for (const message of reader.push(chunk)) {
        answers.push(message.toString());
        sendNext();
      }
    });
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve({ status, body: answers.join('\n') });
    });
    sendNext();
  });
}

/** Sends one message over a WebSocket and gives what comes back. @throws {Error} when nothing does */
export function callWebSocket(url: string, message: string, timeoutMs: number): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const timer = setTimeout(() => reject(noAnswer()), timeoutMs);
    socket.onopen = () => socket.send(message);
    socket.onerror = () => reject(new Error('WebSocket failed'));
    socket.onmessage = ({ data }) => {
      clearTimeout(timer);
      socket.close();
      resolve({ status: 101, body: String(data) });
    };
  });
}

/**
 * Opens a TCP connection, sends `message` (when there is one) and gives the first bytes that come back.
 * @throws {Error} when nothing does
 */
export function callTcp(
  host: string,
  port: number,
  message: string | undefined,
  timeoutMs: number,
): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on('timeout', () => socket.destroy(noAnswer()));
    socket.on('error', reject);
    socket.on('connect', () => message !== undefined && socket.write(message));
    socket.on('data', (data) => {
      resolve({ body: data.toString() });
      socket.destroy();
    });
    socket.on('close', () => reject(new Error('closed without a byte')));
  });
}
