import { pause } from './backoff.ts';
import { LEASE } from './kinds.ts';
import type { KubeApi } from './kube-api.ts';
import { isConflict, isNotFound, KubeConnectionError } from './kube-error.ts';
import { type Logger, silentLogger } from './logger.ts';
import type { ObjectMeta } from './object.ts';

/** coordination.k8s.io/v1 Lease, as far as an election needs it. */
export interface Lease {
  metadata: ObjectMeta;
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface LeaderElectionOptions {
  readonly api: Pick<KubeApi, 'get' | 'create' | 'update'>;
  readonly namespace: string;
  readonly name: string;
  /** Unique per process, for example the pod's name. */
  readonly identity: string;
  /** For how long others respect a lease they see unchanged; default 15,000 ms. */
  readonly leaseDurationMs?: number;
  /** A leader that could not renew for so long gives up; default 10,000 ms, below the lease's duration. */
  readonly renewDeadlineMs?: number;
  /** Time between attempts; default 2,000 ms. */
  readonly retryPeriodMs?: number;
  /** Called on becoming leader; the signal aborts when leadership ends. */
  readonly onStarted?: (signal: AbortSignal) => void;
  /** Called when leadership ends, before another can have it. */
  readonly onLost?: () => void;
  readonly logger?: Logger;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

/**
 * Elects one leader among replicas by a Lease. Others' clocks are never trusted: a lease is free once it was seen
 * unchanged for its duration on our own monotonic clock, and we count our own time from before a renewal was sent.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #logger: Logger;
  readonly #durationMs: number;
  readonly #deadlineMs: number;
  readonly #retryMs: number;
  readonly #now: () => number;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #leading: AbortController | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #observed: { version: string; at: number } | undefined;

  /** @throws {RangeError} when the times are not in the order duration > deadline > retry */
  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#logger = (options.logger ?? silentLogger).child({ lease: options.name, identity: options.identity });
    this.#durationMs = options.leaseDurationMs ?? 15_000;
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryPeriodMs ?? 2000;
    this.#now = options.now ?? (() => performance.now());
    if (this.#durationMs <= this.#deadlineMs || this.#deadlineMs <= this.#retryMs * 1.2) {
      throw new RangeError('leader election needs leaseDurationMs > renewDeadlineMs > 1.2 · retryPeriodMs');
    }
  }

  /** Whether we may act now. Also false when a blocked event loop kept the deadline's timer from firing. */
  get isLeader(): boolean {
    return this.#leading !== undefined && this.#now() < this.#renewedAt + this.#deadlineMs;
  }

  /** Begins to stand for election, for as long as the process lives or until `stop`. */
  start(): void {
    this.#running ??= this.#run();
  }

  /**
   * Gives leadership up, frees the lease so that another can take it at once, and ends. Calls that are not answered
   * hold this up for 11 s at most by default.
   */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#tryAcquireOrRenew();
      } catch (error) {
        this.#logger.warn('lease could not be read or written', { error, leading: this.#leading !== undefined });
      }
      await pause(this.#retryMs * (1 + Math.random() * 0.2), signal);
    }
    const mayRelease = this.isLeader;
    this.#end('stopped');
    if (mayRelease) await this.#release();
  }

  async #tryAcquireOrRenew(): Promise<void> {
    const { api, namespace, name, identity } = this.#options;
    const begun = this.#now();
    const lease = await this.#read(this.#callMs(begun));
    if (!lease) {
      const body: Lease = { metadata: { namespace, name }, spec: this.#spec(undefined) };
      const created = api.create<Lease>(LEASE, body, { timeoutMs: this.#callMs(begun) });
      const isOurs = await created.then(() => true, swallowConflict);
      if (isOurs) await this.#written(begun);
      return;
    }
    const version = lease.metadata.resourceVersion ?? '';
    if (this.#observed?.version !== version) this.#observed = { version, at: begun };
    const holder = lease.spec?.holderIdentity ?? '';
    const heldMs = Math.max(this.#durationMs, (lease.spec?.leaseDurationSeconds ?? 0) * 1000);
    if (holder !== identity) {
      if (this.#leading) this.#end('another holds the lease');
      if (holder !== '' && this.#now() < this.#observed.at + heldMs) return;
    }
    const timeoutMs = this.#callMs(begun);
    const body: Lease = { metadata: { namespace, name, resourceVersion: version }, spec: this.#spec(lease) };
    try {
      await api.update<Lease>(LEASE, body, { timeoutMs });
    } catch (error) {
      if (isConflict(error)) return;
      throw error;
    }
    await this.#written(begun);
  }

  /** The lease is ours. Whoever stops meanwhile does not begin to lead, and frees it, or others would wait for its end. */
  async #written(begun: number): Promise<void> {
    if (this.#stop.signal.aborted && !this.#leading) await this.#release();
    else this.#renewed(begun);
  }

  /** A call that is not answered must leave time for another try, and end before the deadline of its attempt. */
  #callMs(begun: number): number {
    return Math.max(1, Math.min(this.#deadlineMs / 2, begun + this.#deadlineMs - this.#now()));
  }

  async #read(timeoutMs: number): Promise<Lease | undefined> {
    const { api, namespace, name } = this.#options;
    try {
      return await within(api.get<Lease>(LEASE, { namespace, name }), timeoutMs);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #spec(present: Lease | undefined): NonNullable<Lease['spec']> {
    const now = microTime(Date.now());
    const ours = present?.spec?.holderIdentity === this.#options.identity;
    return {
      holderIdentity: this.#options.identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(this.#durationMs / 1000)),
      acquireTime: (ours ? present?.spec?.acquireTime : undefined) ?? now,
      renewTime: now,
      leaseTransitions: (present?.spec?.leaseTransitions ?? 0) + (present && !ours ? 1 : 0),
    };
  }

  #renewed(begun: number): void {
    if (this.#now() >= begun + this.#deadlineMs) return; // So slow that it may already be another's.
    // Whoever asked in between was told that we do not lead, and let its work be: it is to be taken up anew.
    if (!this.isLeader) this.#end('the lease was renewed late');
    this.#renewedAt = begun;
    clearTimeout(this.#deadlineTimer);
    const left = begun + this.#deadlineMs - this.#now();
    this.#deadlineTimer = setTimeout(() => this.#end('the lease could not be renewed in time'), left);
    if (this.#leading) return;
    this.#leading = new AbortController();
    this.#logger.info('became leader');
    this.#options.onStarted?.(this.#leading.signal);
  }

  #end(reason: string): void {
    clearTimeout(this.#deadlineTimer);
    const leading = this.#leading;
    if (!leading) return;
    this.#leading = undefined;
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    this.#logger.info('is leader no more', { reason });
    leading.abort();
    this.#options.onLost?.();
  }

  async #release(): Promise<void> {
    const { api, identity } = this.#options;
    const timeoutMs = Math.min(3000, this.#deadlineMs / 2);
    try {
      const lease = await this.#read(timeoutMs);
      if (lease?.spec?.holderIdentity !== identity) return;
      const { namespace, name } = this.#options;
      const metadata = { namespace, name, resourceVersion: lease.metadata.resourceVersion ?? '' };
      const spec = { ...this.#spec(lease), holderIdentity: '', leaseDurationSeconds: 1 };
      await api.update<Lease>(LEASE, { metadata, spec }, { timeoutMs });
    } catch (error) {
      this.#logger.warn('lease could not be released; it expires by itself', { error });
    }
  }
}

/** Waits no longer for an answer than that; a late one is dropped. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new KubeConnectionError('ETIMEDOUT', `no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function swallowConflict(error: unknown): false {
  if (!isConflict(error)) throw error;
  return false;
}

/** metav1.MicroTime. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
