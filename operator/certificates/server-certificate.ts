import { Controller, type ReconcileResult } from '../../kube/controller.ts';
import { type Logger, silentLogger } from '../../kube/logger.ts';
import type { CertificateAuthority, IssuedCertificate } from './authority.ts';

export interface ServerCertificateOptions {
  readonly authority: CertificateAuthority;
  readonly dnsNames: readonly string[];
  readonly lifetimeMs: number;
  /** A changed root takes so long to reach all clients; until then the present certificate stays. Milliseconds. */
  readonly propagationMs: number;
  readonly logger?: Logger;
  readonly now?: () => number;
}

/** PEM texts of a serving certificate and its key. */
export interface ServingPair {
  /** The certificate and its intermediates. */
  readonly cert: string;
  readonly key: string;
}

const KEY = 'server';

/** A serving certificate that is kept in memory, renewed in time, and never on disk or in a Secret. */
export class ServerCertificate {
  readonly #options: ServerCertificateOptions;
  readonly #now: () => number;
  readonly #controller: Controller;
  readonly #listeners = new Set<(pair: ServingPair) => void>();
  readonly #unsubscribe: () => void;
  #issued: IssuedCertificate | undefined;
  #rootChangedAt: number | undefined;

  constructor(options: ServerCertificateOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#controller = new Controller({
      name: 'server-certificate',
      reconcile: () => this.#reconcile(),
      backoffMs: [100, 5000],
      logger: options.logger ?? silentLogger,
    });
    this.#unsubscribe = options.authority.onChange(({ signer }) => {
      if (signer) this.#rootChangedAt = this.#now();
      this.#controller.enqueue(KEY);
    });
    this.#controller.enqueue(KEY);
    this.#controller.start();
  }

  /** The present pair; undefined before the first. */
  get current(): ServingPair | undefined {
    return this.#issued && { cert: this.#issued.chain, key: this.#issued.privateKey };
  }

  /** When the present certificate expires, milliseconds since 1970; for metrics. */
  get expiresAt(): number | undefined {
    return this.#issued?.expiresAt;
  }

  /** Calls back with each new pair, and at once with the present one; gives a function that ends that. */
  onChange(listener: (pair: ServingPair) => void): () => void {
    this.#listeners.add(listener);
    if (this.current) listener(this.current);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#controller.stop();
  }

  async #reconcile(): Promise<ReconcileResult> {
    const { authority, dnsNames, lifetimeMs } = this.#options;
    if (!authority.state) return {};
    const due = this.#dueAt();
    const now = this.#now();
    if (due > now) return { requeueAfterMs: Math.min(due - now, 3_600_000) };
    const names = dnsNames.map((dns) => ({ dns }));
    const issued = await authority.issue({ names, usage: ['serverAuth'], lifetimeMs });
    this.#issued = issued;
    const pair = { cert: issued.chain, key: issued.privateKey };
    for (const listener of this.#listeners) listener(pair);
    return { requeueAfterMs: 0 };
  }

  #dueAt(): number {
    const issued = this.#issued;
    if (!issued) return 0;
    if (issued.generation === this.#options.authority.generation) return issued.renewAt;
    const known = (this.#rootChangedAt ?? 0) + this.#options.propagationMs;
    // Not beyond four fifths of what is left: an expired certificate helps nobody.
    return Math.min(known, issued.issuedAt + (issued.expiresAt - issued.issuedAt) * 0.8);
  }
}
