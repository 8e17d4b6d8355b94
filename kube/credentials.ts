import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

/** Milliseconds after which token and certificate files are read again: they rotate. */
const REREAD_MS = 30_000;

/** The part of a KubeConfig that connections need: where to, and with which certificates and headers. */
export type ConnectionConfig = Pick<KubeConfig, 'getCurrentCluster' | 'applyToHTTPSOptions'>;

/** What a request needs besides its path: where to, which agent, which headers. */
export interface PreparedConnection {
  readonly server: URL;
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

/** Turns a KubeConfig into agents and headers, and reads rotated files again. */
export class Credentials {
  readonly #config: ConnectionConfig;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();
  #prepared: Promise<PreparedConnection> | undefined;
  #preparedAt = 0;

  constructor(config: ConnectionConfig) {
    this.#config = config;
  }

  /** The present connection material; read again after 30 s or `invalidate()`. */
  prepare(): Promise<PreparedConnection> {
    const now = performance.now();
    if (!this.#prepared || now - this.#preparedAt > REREAD_MS) {
      this.#preparedAt = now;
      const fresh = this.#read();
      this.#prepared = fresh;
      fresh.catch(() => {
        if (this.#prepared === fresh) this.#prepared = undefined;
      });
    }
    return this.#prepared;
  }

  /** Forgets what was read, for example after a 401. */
  invalidate(): void {
    this.#prepared = undefined;
  }

  /** Closes idle and active connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #read(): Promise<PreparedConnection> {
    const cluster = this.#config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig names no cluster');
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
    if (options.auth) headers.Authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const server = new URL(cluster.server);
    const proxied = cluster.proxyUrl !== undefined && options.agent instanceof HttpAgent;
    const agent = proxied ? (options.agent as HttpAgent) : this.#agent(server, options);
    return { server, agent, headers };
  }

  #agent(server: URL, options: RequestOptions): HttpAgent | HttpsAgent {
    const { ca, cert, key, servername, rejectUnauthorized } = options;
    const hash = createHash('sha256');
    for (const part of [ca, cert, key, servername, rejectUnauthorized]) hash.update(`${String(part)}\0`);
    const digest = hash.digest('hex');
    const known = this.#agents.get(digest);
    if (known) return known;
    // Far more than all watches need; a storm of reviews waits for a free connection instead of opening hundreds.
    const base = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: 16, maxSockets: 128 };
    const agent =
      server.protocol === 'http:'
        ? new HttpAgent(base)
        : new HttpsAgent({
            ...base,
            ...(ca ? { ca } : {}),
            ...(cert ? { cert } : {}),
            ...(key ? { key } : {}),
            ...(servername ? { servername } : {}),
            ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
          });
    // Requests under way keep the old agent; only new ones take this one.
    this.#agents.clear();
    this.#agents.set(digest, agent);
    return agent;
  }
}
