import { once } from 'node:events';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A request as an application got it, nothing of it interpreted. */
export interface ReceivedRequest {
  readonly port: number;
  readonly method: string;
  readonly target: string;
  /** In their order; of HTTP/2 with those that begin with a colon. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Header that says which request it is. */
export const PAIR_HEADER = 'x-pair';
/** What it answers, and says to every connection of TCP that says something. */
export const REACHED = 'reached';

/** Takes HTTP/1 (byte for byte, whatever a parser would refuse), HTTP/2, and bytes that are neither, and keeps what it got. */
export interface RecordingBackend {
  readonly port: number;
  close(): void;
}

/** @param record gets each request, at once */
export async function startRecordingBackend(record: (request: ReceivedRequest) => void): Promise<RecordingBackend> {
  const sockets = new Set<Socket>();
  let port = 0;
  const http2 = http2Server((request) => record({ ...request, port }));
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('readable', () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      socket.unshift(first);
      if (first.subarray(0, 4).toString() === 'PRI ') http2.emit('connection', socket);
      else if (first.subarray(0, 4).toString() === 'tcp ') socket.end(REACHED);
      else serveHttp1(socket, (request) => record({ ...request, port }));
    });
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  // Listening on an address and port, the server has both.
  port = (server.address() as AddressInfo).port;
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

type Received = Omit<ReceivedRequest, 'port'>;

function serveHttp1(socket: Socket, record: (request: Received) => void): void {
  let bytes = '';
  socket.setEncoding('latin1');
  socket.on('data', (data: string) => {
    bytes += data;
    for (let end = bytes.indexOf('\r\n\r\n'); end >= 0; end = bytes.indexOf('\r\n\r\n')) {
      const request = readHead(bytes.slice(0, end));
      const length = Number(request.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0);
      if (bytes.length < end + 4 + length) return;
      bytes = bytes.slice(end + 4 + length);
      record(request);
      const body = request.method === 'HEAD' ? '' : REACHED;
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${REACHED.length}\r\n\r\n${body}`);
    }
  });
}

function readHead(head: string): Received {
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', ...rest] = line.split(' ');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 1).trim()] as const;
  });
  return { method, target: rest.slice(0, -1).join(' '), headers };
}

function http2Server(record: (request: Received) => void): Http2Server {
  const server = createHttp2Server();
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers, _flags, rawHeaders) => {
    stream.on('error', () => {});
    const pairs: (readonly [string, string])[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      pairs.push([String(rawHeaders[index]), String(rawHeaders[index + 1])]);
    }
    record({ method: String(headers[':method']), target: headers[':path'] ?? '', headers: pairs });
    stream.respond({ ':status': 200 });
    stream.end(headers[':method'] === 'HEAD' ? undefined : REACHED);
  });
  return server;
}
