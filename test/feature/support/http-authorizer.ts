import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A question that came by HTTP. */
export interface HttpQuestion {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Headers with which it answers. */
const ANSWER_HEADERS = { 'x-user': 'ann', 'x-checked': 'yes', 'x-why': 'because', 'x-secret': 'of the provider' };

/** Answers by what the header `x-verdict` of a question says: `allow`, `deny` (401), `break` (500), `hang` (never); without one: `deny`. */
export class HttpAuthorizer {
  readonly asked: HttpQuestion[] = [];
  readonly #server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    let body = '';
    for await (const part of request) body += String(part);
    this.asked.push({ method, url, headers, body });
    const verdict = headers['x-verdict'];
    if (verdict === 'hang') return;
    const status = { allow: 200, break: 500 }[String(verdict)] ?? 401;
    response.writeHead(status, ANSWER_HEADERS).end(`verdict: ${verdict}`);
  });

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
}
