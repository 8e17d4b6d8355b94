import type { CallResult } from '../testbed/calls.ts';
import type { Echo } from '../testbed/echo.ts';
import type { LoadReport } from '../testbed/load.ts';
import type { TestNamespace } from './namespace.ts';

export type { CallResult, Echo, LoadReport };

export interface LoadOptions {
  readonly rate?: number;
  readonly seconds?: number;
  readonly methods?: readonly string[];
  readonly bodyBytes?: number;
  readonly keepAlive?: boolean;
}

export interface HttpOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Drives the callers of the testbed in a pod, by `kubectl exec`: no port is forwarded, and the calls take the pod's own way. */
export class Client {
  readonly #namespace: TestNamespace;
  readonly #target: string;

  /** @param target pod or `deployment/NAME` of the testbed */
  constructor(namespace: TestNamespace, target: string) {
    this.#namespace = namespace;
    this.#target = target;
  }

  /** One HTTP/1.1 request. `error` tells why there was no answer. */
  http(url: string, { method = 'GET', body, headers = {} }: HttpOptions = {}): Promise<CallResult> {
    const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}=${value}`]);
    return this.#exec(['http', url, '--method', method, ...given, ...(body === undefined ? [] : ['--body', body])]);
  }

  /** One HTTP/1.1 request, and what the server saw of it. @throws {Error} when it is not answered 200 by a testbed server */
  async echo(url: string, options: HttpOptions = {}): Promise<Echo> {
    const result = await this.http(url, options);
    if (result.status !== 200 || result.body === undefined) throw new Error(`${url}: ${JSON.stringify(result)}`);
    return JSON.parse(result.body) as Echo;
  }

  http2(url: string): Promise<CallResult> {
    return this.#exec(['http2', url]);
  }

  grpc(origin: string, kind: 'unary' | 'stream' | 'health' = 'unary'): Promise<CallResult> {
    return this.#exec(['grpc', origin, kind]);
  }

  webSocket(url: string, message = 'hello'): Promise<CallResult> {
    return this.#exec(['websocket', url, '--body', message]);
  }

  /** @param message sent first; without it the server must speak first */
  tcp(address: string, message?: string): Promise<CallResult> {
    return this.#exec(['tcp', address, ...(message === undefined ? [] : ['--body', message])]);
  }

  /** Sends GETs and POSTs at a steady rate and tells what came of them. */
  load(url: string, options: LoadOptions = {}): Promise<LoadReport> {
    const { rate = 50, seconds = 10, methods = ['GET', 'POST'], bodyBytes = 1024, keepAlive = true } = options;
    const numbers = ['--rate', `${rate}`, '--seconds', `${seconds}`, '--body-bytes', `${bodyBytes}`];
    const args = ['load', url, ...numbers, '--methods', methods.join(','), ...(keepAlive ? [] : ['--no-keep-alive'])];
    return this.#exec(args, (seconds + 60) * 1000);
  }

  async #exec<T>(args: readonly string[], timeoutMs = 60_000): Promise<T> {
    const command = ['exec', this.#target, '-c', 'app', '--', 'node', '/app/main.ts', ...args];
    const output = await this.#namespace.kubectl.run(['-n', this.#namespace.name, ...command], { timeoutMs });
    return JSON.parse(output) as T;
  }
}
