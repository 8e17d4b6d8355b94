import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';

/** Milliseconds after which token and certificate files are read again: they rotate. */
const REREAD_MS = 30_000;

export interface ClusterOptions {
  /** Path of a kubeconfig; default: `KUBECONFIG`, `~/.kube/config`, then the pod's own service account. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
}

/** What a request needs besides its path: where to, which agent, which headers. */
export interface PreparedConnection {
  readonly server: URL;
  readonly agent: HttpAgent | HttpsAgent;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Loads the configuration of a cluster; inside a pod its service account comes first unless a file or context is named.
 * @throws {Error} naming the context or file when it does not exist
 */
export function loadKubeConfig(options: ClusterOptions = {}, env: NodeJS.ProcessEnv = process.env): KubeConfig {
  const config = new KubeConfig();
  if (options.kubeconfig) config.loadFromFile(options.kubeconfig);
  else if (!options.context && !env.KUBECONFIG && env.KUBERNETES_SERVICE_HOST) config.loadFromCluster();
  else config.loadFromDefault();
  if (options.context) {
    if (!config.getContextObject(options.context)) {
      const known = config.getContexts().map((context) => context.name);
      throw new Error(`context "${options.context}" is not in the kubeconfig; it has: ${known.join(', ') || 'none'}`);
    }
    config.setCurrentContext(options.context);
  }
  if (!config.getCurrentCluster()) throw new Error('the kubeconfig names no cluster; give --context or set KUBECONFIG');
  return config;
}

/** Turns a KubeConfig into agents and headers, and reads rotated files again. */
export class Credentials {
  readonly #config: KubeConfig;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();
  #prepared: Promise<PreparedConnection> | undefined;
  #preparedAt = 0;

  constructor(config: KubeConfig) {
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
