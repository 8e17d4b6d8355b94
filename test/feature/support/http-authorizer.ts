import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { MESH_ALPN } from '../../../proxy/names.ts';

/** A question that came by HTTP. */
export interface HttpQuestion {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Names in the certificate that it came with. */
  readonly asker: string;
}

/** Headers with which it answers. */
const ANSWER_HEADERS = { 'x-user': 'ann', 'x-checked': 'yes', 'x-why': 'because', 'x-secret': 'of the provider' };

/** Answers by what the header `x-verdict` of a question says: `allow`, `deny` (401), `break` (500), `hang` (never); without one: `deny`. */
export class HttpAuthorizer {
  readonly asked: HttpQuestion[] = [];
  readonly #server: Server;

  /** @param identity with it, it speaks mesh mTLS alone, as a sidecar would */
  constructor(identity?: { readonly cert: string; readonly key: string; readonly ca: string }) {
    const listener = this.#answer.bind(this);
    const secured = { ...identity, requestCert: true, ALPNProtocols: [MESH_ALPN] };
    this.#server = identity === undefined ? createServer(listener) : createSecureServer(secured, listener);
  }

  async start(): Promise<number> {
    this.#server.keepAliveTimeout = 60_000;
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    // It listens on an address.
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers, socket } = request;
    const asker = socket instanceof TLSSocket ? (socket.getPeerCertificate().subjectaltname ?? '') : '';
    let body = '';
    for await (const part of request) body += String(part);
    this.asked.push({ method, url, headers, body, asker });
    const verdict = headers['x-verdict'];
    if (verdict === 'hang') return;
    const status = { allow: 200, break: 500 }[String(verdict)] ?? 401;
    response.writeHead(status, ANSWER_HEADERS).end(`verdict: ${verdict}`);
  }
}
