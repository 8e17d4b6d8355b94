import { type IncomingMessage, request } from 'node:http';
import type { KubeConfig } from '@kubernetes/client-node';
import { CliError } from '../cli-error.ts';
import { openTunnel, type PodPort } from './tunnel.ts';
import { type OpenConnection, TunnelAgent } from './tunnel-agent.ts';

/** An answer larger than that is none that a terminal could do anything with. */
const MAX_BYTES = 256 * 1024 * 1024;
const PATIENCE_MS = 20_000;

export interface PodRequest {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** Until the whole answer is there (`text`), or its head (`stream`); ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** HTTP to a port of a pod, through the API server. Whoever makes one closes it, or the process does not end. */
export class PodHttp {
  readonly #agent: TunnelAgent;
  readonly #name: string;

  /** @param name what answers there, for errors: `the sidecar of shop/ui-1` */
  constructor(open: OpenConnection, name: string) {
    this.#agent = new TunnelAgent(open);
    this.#name = name;
  }

  /** The text of an answer. @throws {CliError} with the answer's text when it is no success; errors of `openTunnel` */
  async text(asked: PodRequest): Promise<string> {
    const deadline = AbortSignal.timeout(asked.timeoutMs ?? PATIENCE_MS);
    const response = await this.#send(asked, deadline);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_BYTES) throw new CliError(`${this.#name} answers ${asked.path} with over ${MAX_BYTES} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      if (deadline.aborted) throw this.#late(asked);
      throw error;
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const { statusCode = 0 } = response;
    if (statusCode >= 400) throw new CliError(`${this.#name} answers ${statusCode}: ${errorIn(text)}`);
    return text;
  }

  /** The value of a JSON answer. @throws {CliError} also when it is no JSON */
  async json<T>(path: string, signal?: AbortSignal): Promise<T> {
    const text = await this.text({ path, ...(signal === undefined ? {} : { signal }) });
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new CliError(`${this.#name} answers ${path} with what is no JSON: ${text.slice(0, 80)}`);
    }
  }

  /** An answer as it comes. @throws {CliError} when its head does not come in time, or is no success */
  async stream(asked: PodRequest): Promise<IncomingMessage> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), asked.timeoutMs ?? PATIENCE_MS);
    try {
      const response = await this.#send(asked, late.signal);
      const { statusCode = 0 } = response;
      if (statusCode < 400) return response;
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text = (text + chunk).slice(0, 1000);
      throw new CliError(`${this.#name} answers ${statusCode}: ${errorIn(text)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method = 'GET', path, body, signal, ...rest }: PodRequest, deadline: AbortSignal): Promise<IncomingMessage> {
    const both = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      both.throwIfAborted();
      // Envoy's admin interface and the operator's page answer to local names alone.
      const options = { agent: this.#agent, host: 'localhost', method, path, headers, signal: both };
      const outgoing = request(options, resolve);
      const fail = (error: Error): void => reject(deadline.aborted ? this.#late({ path, ...rest }) : error);
      outgoing.on('error', fail);
      // Node tells a request of the signal once it has a connection; one that is never opened would be waited for.
      both.addEventListener('abort', () => fail(both.reason as Error), { once: true });
      outgoing.end(body);
    });
  }

  #late({ path, timeoutMs = PATIENCE_MS }: PodRequest): CliError {
    return new CliError(`${this.#name} has not answered ${path} in ${timeoutMs / 1000} s`, undefined, 3);
  }
}

/** HTTP to a port of a pod. */
export function podHttp(config: KubeConfig, target: PodPort, name: string): PodHttp {
  return new PodHttp(() => openTunnel(config, target), name);
}

/** The sentence of an ErrorView, or the text itself. */
function errorIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // It is text.
  }
  return text.trim().slice(0, 500) || 'no message';
}
