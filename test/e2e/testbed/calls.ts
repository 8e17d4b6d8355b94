import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { flatHeaders } from './echo.ts';

/** What came of one call; `error` alone when nothing was answered. */
export interface CallResult {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly error?: string;
  /** Only over TLS: the certificate that the server showed. */
  readonly certificate?: { readonly subject: string; readonly san: string };
}

export interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Keeps connections; without it each call has its own. */
  readonly agent?: Agent;
}

/** A call over TLS that believes any certificate. */
export interface TlsCall extends HttpCall {
  /** The server's name in the handshake; default the URL's host, and none when that is an address. */
  readonly sni?: string;
  /** Protocols offered, default none. */
  readonly alpn?: readonly string[];
  /** What the caller shows of itself, in PEM. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

/** Code of an error, e.g. ECONNRESET, or its message. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  // A stream of HTTP/2 that ends with its connection tells why in its cause.
  if ('cause' in error && typeof error.cause === 'object' && error.cause !== null) {
    return errorCode(error.cause);
  }
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'message' in error ? String(error.message) : String(error);
}

/** The error of a call whose time is over. */
export const noAnswer = (): Error => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** One HTTP/1.1 request. @throws {Error} when there is no answer */
export function callHttp(url: string, { method, headers, body, timeoutMs, agent }: HttpCall): Promise<CallResult> {
  return answerOf(request(url, { method, headers, agent: agent ?? false }), body, timeoutMs);
}

/** One HTTP/1.1 request over TLS, on a connection of its own. @throws {Error} when there is no answer */
export function callTls(url: string, call: TlsCall): Promise<CallResult> {
  const { method, headers, body, timeoutMs, sni, alpn, identity } = call;
  const { hostname } = new URL(url);
  const outgoing = requestTls(url, {
    method,
    headers,
    agent: false,
    rejectUnauthorized: false,
    servername: sni ?? (isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : ''),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    ...identity,
  });
  return answerOf(outgoing, body, timeoutMs);
}

function answerOf(outgoing: ClientRequest, body: string | undefined, timeoutMs: number): Promise<CallResult> {
  return new Promise<CallResult>((resolve, reject) => {
    const timer = setTimeout(() => outgoing.destroy(noAnswer()), timeoutMs);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('response', (response: IncomingMessage) => {
      const { socket } = response;
      const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      const certificate = shown && { subject: shown.subject ?? '', san: shown.subjectAltName ?? '' };
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: flatHeaders(response.headers),
          body: Buffer.concat(chunks).toString(),
          ...(certificate && { certificate }),
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
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
 * @param holdMs how long the connection stays open after that
 * @throws {Error} when nothing does
 */
export function callTcp(
  host: string,
  port: number,
  message: string | undefined,
  timeoutMs: number,
  holdMs = 0,
): Promise<CallResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on('timeout', () => socket.destroy(noAnswer()));
    socket.on('error', reject);
    socket.on('connect', () => message !== undefined && socket.write(message));
    socket.once('data', (data) => {
      socket.setTimeout(0);
      const finish = (): void => {
        resolve({ body: data.toString() });
        socket.destroy();
      };
      if (holdMs > 0) setTimeout(finish, holdMs);
      else finish();
    });
    socket.on('close', () => reject(new Error('closed without a byte')));
  });
}
