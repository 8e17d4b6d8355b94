import { hostname } from 'node:os';
import { Burner } from './burner.ts';
import { VERSION } from './echo.ts';
import { Pool } from './pool.ts';
import type { Wishes } from './wishes.ts';

/** What a pod has seen of the requests with one key. */
export interface SeenReport {
  readonly pod: string;
  readonly version: string;
  readonly key: string;
  readonly count: number;
  /** `host` (of HTTP/2: `:authority`) → requests. */
  readonly hosts: Readonly<Record<string, number>>;
  /** Milliseconds from each request to the next, of the first 50. */
  readonly gapsMs: readonly number[];
}

/** How a pod behaves until told otherwise (`POST /admin`). */
export interface Behaviour {
  /** Every request fails: HTTP with `status`, gRPC with UNAVAILABLE. */
  errors: boolean;
  status: number;
  /** Added to every answer. */
  delayMs: number;
  /** Every connection is reset instead of an answer. */
  reset: boolean;
  /** False: `/readyz` answers 503. */
  ready: boolean;
}

interface Count {
  count: number;
  readonly hosts: Map<string, number>;
  readonly gapsMs: number[];
  last: number;
}

/** What is to come of one request. */
export interface Verdict {
  /** How many requests with its key this pod has seen, this one among them. */
  readonly attempt: number;
  /** True: the answer is a failure with `status`. */
  readonly fails: boolean;
  /** Undefined: the usual one. */
  readonly status: number | undefined;
  readonly delayMs: number;
  readonly reset: boolean;
}

const MAX_KEYS = 10_000;
const MAX_GAPS = 50;

/** What the servers of one pod share: how they behave, what they have seen, and how much they do at once. */
export class ServerState {
  readonly behaviour: Behaviour = { errors: false, status: 503, delayMs: 0, reset: false, ready: true };
  readonly pool: Pool;
  readonly burner = new Burner();
  readonly #counts = new Map<string, Count>();

  /** @param concurrent requests worked on at once; 0 for any number */
  constructor(concurrent = 0) {
    this.pool = new Pool(concurrent);
  }

  /** Counts a request and decides what comes of it. */
  judge(wishes: Wishes, host: string): Verdict {
    const attempt = this.#count(wishes.key, host);
    const { errors, status, delayMs, reset } = this.behaviour;
    const failing = attempt <= wishes.failures;
    return {
      attempt,
      fails: errors || failing,
      status: errors ? status : failing ? wishes.failStatus : wishes.status,
      delayMs: wishes.delayMs + delayMs,
      reset: reset || (wishes.reset && (wishes.failures === 0 || failing)),
    };
  }

  seen(key: string): SeenReport {
    const count = this.#counts.get(key);
    return {
      pod: hostname(),
      version: VERSION,
      key,
      count: count?.count ?? 0,
      hosts: Object.fromEntries(count?.hosts ?? []),
      gapsMs: count?.gapsMs ?? [],
    };
  }

  /** Forgets what was seen. */
  forget(): void {
    this.#counts.clear();
  }

  #count(key: string, host: string): number {
    let count = this.#counts.get(key);
    if (count === undefined) {
      // A load with a key per request must not fill the memory: the oldest key goes.
      if (this.#counts.size >= MAX_KEYS) this.#counts.delete(this.#counts.keys().next().value ?? '');
      count = { count: 0, hosts: new Map(), gapsMs: [], last: 0 };
      this.#counts.set(key, count);
    }
    const now = performance.now();
    if (count.count > 0 && count.gapsMs.length < MAX_GAPS) count.gapsMs.push(Math.round(now - count.last));
    count.last = now;
    count.count++;
    count.hosts.set(host, (count.hosts.get(host) ?? 0) + 1);
    return count.count;
  }
}
