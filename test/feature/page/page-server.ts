import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Canary } from '../../../api/canary.ts';
import type { GraphView } from '../../../api/view/graph-view.ts';
import { canary } from './canary-answers.ts';
import { controlPlane, policies, proxies, refusals, seriesOf, shopGraph } from './shop-answers.ts';

/** As strict as the operator's. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** Answers the page as an operator would, with what a test puts here. */
export class PageServer {
  readonly #folder: string;
  readonly #server = createServer((request, response) => void this.#answer(request.url ?? '/', response));
  readonly #streams = new Set<ServerResponse>();
  graph: GraphView = shopGraph();
  canaries: readonly Canary[] = [canary()];
  /** Answers of paths, in place of what is usual: an object, or an error. */
  readonly answers = new Map<string, { status: number; body: unknown }>();
  /** Paths that were asked, without their parameters. */
  readonly asked: string[] = [];
  /** Whether connections are dropped without an answer. */
  gone = false;

  /** @param folder where the built page is */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sends an event to every page that listens. */
  send(event: 'graph' | 'changed', data: unknown = this.graph): void {
    for (const stream of this.#streams)
      stream.write(`event: ${event}\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  }

  /** Is gone from now on, as an operator whose port-forward ended. */
  leave(): void {
    this.gone = true;
    this.#server.closeAllConnections();
  }

  get listeners(): number {
    return this.#streams.size;
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://page');
    if (this.gone) return void response.destroy();
    this.asked.push(pathname);
    if (pathname === '/api/events') return this.#stream(response);
    const given = this.answers.get(pathname);
    const known = given ?? this.#usual(pathname, searchParams);
    if (known !== undefined) {
      response.writeHead(known.status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      return void response.end(JSON.stringify(known.body));
    }
    const name = pathname === '/' ? 'index.html' : path.basename(pathname);
    const body = await readFile(path.join(this.#folder, name)).catch(() => undefined);
    if (body === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': TYPES[path.extname(name)] ?? 'text/plain',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.flushHeaders();
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #usual(pathname: string, query: URLSearchParams): { status: number; body: unknown } | undefined {
    const answer = (body: unknown) => ({ status: 200, body });
    if (pathname === '/api/graph') return answer(this.graph);
    if (pathname === '/api/series') return answer(seriesOf(this.graph, query.has('edge') ? 'edge' : 'node'));
    if (pathname === '/api/canaries') return answer({ canaries: this.canaries });
    if (pathname === '/api/policies') return answer(policies());
    if (pathname === '/api/refusals') return answer(refusals());
    if (pathname === '/api/proxies') return answer(proxies());
    return pathname === '/api/control-plane' ? answer(controlPlane()) : undefined;
  }
}
