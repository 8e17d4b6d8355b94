import { request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';

/** A request over either version of HTTP. */
export interface FirstRequest {
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bodies are sent by POST; an array in parts, with a little time between. */
  readonly body?: Buffer | readonly Buffer[];
  /** After so many ms the client lets go; absent: it waits for the answer. */
  readonly cutMs?: number;
}

/** Sends a request; gives status and body of the answer, or the error. */
export type Ask = (one: FirstRequest) => Promise<string>;

/** No answer may take longer, in ms. */
const HANG_MS = 20_000;
/** Between parts of a body, in ms. */
const PART_MS = 3;

interface Sink {
  write(data: Buffer): unknown;
  end(data?: Buffer): unknown;
}

async function sendBody(sink: Sink, body: FirstRequest['body']): Promise<void> {
  if (body === undefined || Buffer.isBuffer(body)) {
    sink.end(body);
    return;
  }
  for (const part of body) {
    sink.write(part);
    await new Promise((resolve) => setTimeout(resolve, PART_MS));
  }
  sink.end();
}

/** Over HTTP/1.1, each request by a connection of its own. */
export function http1Client(address: string, port: number): Ask {
  return ({ host, headers, body, cutMs }) =>
    new Promise((resolve) => {
      const method = body === undefined ? 'GET' : 'POST';
      const options = { host: address, port, method, headers: { ...headers, host }, agent: false };
      const sent = request(options, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => {
          text += data.toString();
        });
        response.on('error', (error) => resolve(error.message));
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      });
      sent.on('error', (error) => resolve(error.message));
      sent.setTimeout(HANG_MS, () => sent.destroy(new Error('no answer')));
      void sendBody(sent, body);
      if (cutMs !== undefined) setTimeout(() => sent.destroy(new Error('let go')), cutMs);
    });
}

/** Over HTTP/2 without TLS, all requests by one connection. @throws {Error} from `ask`, when that was closed */
export function http2Client(
  address: string,
  port: number,
): { readonly ask: Ask; readonly session: ClientHttp2Session } {
  const session = connectHttp2(`http://${address}:${port}`);
  session.on('error', () => {});
  const ask: Ask = ({ host, headers, body, cutMs }) =>
    new Promise((resolve) => {
      if (session.destroyed || session.closed) throw new Error('the connection was closed');
      const method = body === undefined ? 'GET' : 'POST';
      const stream = session.request({ ':method': method, ':path': '/', ':authority': host, ...headers });
      let status: number | undefined;
      let text = '';
      stream.on('response', (answer) => {
        status = answer[':status'];
      });
      stream.on('data', (data: Buffer) => {
        text += data.toString();
      });
      stream.on('error', () => {});
      stream.on('close', () => {
        const { rstCode } = stream;
        resolve(rstCode === constants.NGHTTP2_NO_ERROR ? `${status} ${text}` : `reset ${rstCode}`);
      });
      stream.setTimeout(HANG_MS, () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      void sendBody(stream, body);
      if (cutMs !== undefined) setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), cutMs);
    });
  return { ask, session };
}
