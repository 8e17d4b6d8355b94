import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ConnectionConfig, Credentials } from '../credentials.ts';
import { KubeApi } from '../kube-api.ts';
import { Transport } from '../transport.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A local HTTP server in the API server's place, whose answers a test decides. */
export class FaultServer {
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #answer: Answer;
  #api: KubeApi | undefined;

  constructor(answer: Answer) {
    this.#answer = answer;
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      this.#answer(request, response);
    });
  }

  async start(): Promise<KubeApi> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.#api = apiFor(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
    return this.#api;
  }

  async stop(): Promise<void> {
    this.#api?.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

/** A KubeApi for a plain HTTP server. */
export function apiFor(server: string): KubeApi {
  // What KubeConfig would say of it; loading that takes longer than most tests.
  const config: ConnectionConfig = {
    getCurrentCluster: () => ({ name: 'test', server, skipTLSVerify: true }),
    applyToHTTPSOptions: async (options) => {
      options.headers = { ...options.headers, Authorization: 'Bearer abc' };
    },
  };
  return new KubeApi(new Transport(new Credentials(config)));
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, body: unknown, code = 200): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
