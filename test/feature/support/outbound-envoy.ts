import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { Registry } from '@bufbuild/protobuf';
import { OUTBOUND_LISTENER, portListener, portOfListener } from '../../../operator/xds/names.ts';
import type { XdsResource } from '../../../operator/xds/resource.ts';
import { listenersBootstrap } from '../../../operator/xds/testing/listeners-bootstrap.ts';
import { type EnvoyProcess, runEnvoy } from './envoy-process.ts';
import { freePort } from './free-port.ts';
import type { TestCertificate } from './server-certificate.ts';

/** Says its name to everyone, at once; after a handshake, or (HTTP) a request, where there is to be one. */
export interface NamedServer {
  readonly port: number;
  close(): void;
}

/** What a server takes: everything, TLS alone, or one that waits for a request. */
export type ServerKind = 'tcp' | 'http' | TestCertificate;

/** Speaks first, unless it serves HTTP. */
export async function startNamedServer(name: string, kind: ServerKind = 'tcp'): Promise<NamedServer> {
  const text = `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${name.length}\r\n\r\n${name}`;
  const greet = (socket: Socket): void => {
    socket.on('error', () => {});
    if (kind === 'http') socket.once('data', () => socket.end(text));
    else socket.end(text);
    socket.resume();
  };
  const server: Server =
    typeof kind === 'string' ? createServer(greet) : createTlsServer({ cert: kind.cert, key: kind.key }, greet);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listening on an address and port, the server has both.
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** What a client does once it is connected. */
export interface Speech {
  /** The name in a TLS handshake; null: a handshake without a name. */
  readonly serverName?: string | null;
  /** Sent as it is. */
  readonly text?: string;
}

/** What of it came back. */
export interface Outcome {
  /** Name of the server; undefined when the connection was closed without a word. */
  readonly server: string | undefined;
  readonly ms: number;
}

/** An Envoy whose outbound listeners are reached as if by redirection. */
export interface OutboundEnvoy {
  /** Connects to an address and port, wherever Envoy leads it. */
  call(address: string, port: number, speech?: Speech): Promise<Outcome>;
  /** Connects to a listener that is bound to a port of loopback. */
  callBound(port: number, speech?: Speech): Promise<Outcome>;
  readonly process: EnvoyProcess;
}

/** @param clusters the port of loopback that each leads to */
export async function startOutboundEnvoy(
  listeners: readonly XdsResource[],
  clusters: Readonly<Record<string, number>>,
  registry: Registry,
): Promise<OutboundEnvoy> {
  const entrances: Record<string, number> = {};
  for (const { name } of listeners.filter(isRedirected)) entrances[name] = await freePort();
  const adminPort = await freePort();
  const config = listenersBootstrap({ listeners, clusters, http: 'http', entrances, adminPort }, registry);
  const process = await runEnvoy(config, adminPort);
  // The admin port answers a little before the listeners do.
  while (!(await process.admin('/ready')).startsWith('LIVE')) await new Promise((done) => setTimeout(done, 10));
  return {
    call: (address, port, speech = {}) => {
      const entrance = entrances[portListener(port)] ?? entrances[OUTBOUND_LISTENER] ?? 0;
      return converse(entrance, speech, `PROXY TCP4 127.0.0.1 ${address} 40000 ${port}\r\n`);
    },
    callBound: (port, speech = {}) => converse(port, speech, ''),
    process,
  };
}

function isRedirected({ name }: XdsResource): boolean {
  return name === OUTBOUND_LISTENER || portOfListener(name) !== undefined;
}

async function converse(port: number, { serverName, text }: Speech, preface: string): Promise<Outcome> {
  const start = performance.now();
  const raw = connect(port, '127.0.0.1');
  raw.on('error', () => {});
  if (preface !== '') raw.write(preface);
  const isTls = serverName !== undefined;
  const socket = isTls
    ? connectTls({
        socket: raw,
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
        ...(serverName === null ? {} : { servername: serverName }),
      })
    : raw;
  if (text !== undefined) socket.write(text);
  let heard = '';
  socket.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  raw.destroy();
  return { server: /^HTTP\/1.1 200 [\s\S]*\r\n\r\n([\s\S]+)$/.exec(heard)?.[1], ms: performance.now() - start };
}
