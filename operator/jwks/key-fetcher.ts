import type { BlockList } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Logger } from '../../kube/logger.ts';
import { fetchKeys } from './key-set.ts';

/** The keys at a URI. */
export interface FetchedKeys {
  /** `name` is the URI. */
  readonly metadata: { readonly name: string };
  /** A JWK set for Envoy, the last one that was there; absent: there never was one. */
  readonly keys?: string;
  /** Why they could not be fetched when that was last tried. */
  readonly problem?: string;
}

interface Change {
  readonly key: string;
  readonly object: FetchedKeys | undefined;
  readonly previous: FetchedKeys | undefined;
}

export interface FetcherOptions {
  /** Addresses that are allowed although they would not be. */
  readonly allowed: BlockList;
  /** Whose certificates are good; default: of those whom everybody trusts. */
  readonly trust?: SecureContext;
  readonly logger: Logger;
  /** How long keys are good for, in ms. */
  readonly refreshMs?: number;
  /** After how long what failed is tried again; doubled each time. */
  readonly retryMs?: number;
}

/** As in Istio. */
const REFRESH_MS = 20 * 60_000;
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 5 * 60_000;
/** So many are fetched at once: a restart must not open a thousand connections. */
const AT_ONCE = 8;

/** A URI of which keys are wanted. */
interface Wanted {
  timeoutMs: number;
  failures: number;
  timer?: NodeJS.Timeout;
}

/**
 * Keeps the keys at URIs: each is fetched once for the whole mesh, and again in good time. Keys that were there stay when fetching fails, and those that an
 * operator of before had stand in. It is read like a store.
 */
export class KeyFetcher {
  readonly #options: FetcherOptions & Required<Pick<FetcherOptions, 'refreshMs' | 'retryMs'>>;
  readonly #wanted = new Map<string, Wanted>();
  readonly #found = new Map<string, FetchedKeys>();
  /** Keys of before this operator started, until they are fetched. */
  readonly #recalled = new Map<string, string>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #waiting = new Set<string>();
  #running = 0;
  #stopped = false;
  #onSettled: () => void = () => {};

  constructor(options: FetcherOptions) {
    this.#options = { refreshMs: REFRESH_MS, retryMs: RETRY_MS, ...options };
  }

  keys(): IterableIterator<string> {
    return this.#found.keys();
  }

  get(uri: string): FetchedKeys | undefined {
    return this.#found.get(uri);
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the keys that an operator of before had: they are good where fetching fails. */
  recall(keys: ReadonlyMap<string, string>): void {
    for (const [uri, text] of keys) this.#recalled.set(uri, text);
  }

  /** Keeps the keys at a URI from now on. @param timeoutMs how long fetching may take */
  want(uri: string, timeoutMs: number): void {
    const known = this.#wanted.get(uri);
    if (known !== undefined) {
      known.timeoutMs = timeoutMs;
      return;
    }
    this.#wanted.set(uri, { timeoutMs, failures: 0 });
    this.#enqueue(uri);
  }

  /** Keeps them no longer. */
  forget(uri: string): void {
    clearTimeout(this.#wanted.get(uri)?.timer);
    this.#wanted.delete(uri);
    this.#waiting.delete(uri);
    this.#put(uri, undefined);
  }

  /** Resolves once all keys that are wanted were asked for, or after some time: an operator that starts anew must not send proxies none meanwhile. */
  settled(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#standIn();
        resolve();
      }, longestMs);
      this.#onSettled = () => {
        if ([...this.#wanted.keys()].some((uri) => !this.#found.has(uri))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onSettled();
    });
  }

  /** Keys of before stand in for those that are still waited for. */
  #standIn(): void {
    for (const uri of this.#wanted.keys()) {
      const keys = this.#recalled.get(uri);
      if (keys !== undefined && !this.#found.has(uri)) {
        this.#put(uri, { metadata: { name: uri }, keys, problem: 'there is no answer yet' });
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#wanted.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #enqueue(uri: string): void {
    this.#waiting.add(uri);
    this.#next();
  }

  #next(): void {
    for (const uri of this.#waiting) {
      if (this.#running >= AT_ONCE || this.#stopped) return;
      this.#waiting.delete(uri);
      const wanted = this.#wanted.get(uri);
      if (wanted === undefined) continue;
      this.#running += 1;
      void this.#fetch(uri, wanted).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #fetch(uri: string, wanted: Wanted): Promise<void> {
    const { allowed, trust, logger } = this.#options;
    const before = this.#found.get(uri)?.keys ?? this.#recalled.get(uri);
    let found: { readonly text?: string; readonly problem?: string };
    try {
      found = await fetchKeys(uri, { allowed, timeoutMs: wanted.timeoutMs, ...(trust && { trust }) });
      this.#recalled.delete(uri);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      found = { ...(before === undefined ? {} : { text: before }), problem };
    }
    // Nobody may want them any more, or again.
    if (this.#wanted.get(uri) !== wanted || this.#stopped) return;
    const { text, problem } = found;
    wanted.failures = problem === undefined ? 0 : wanted.failures + 1;
    if (problem !== undefined) logger.warn('keys could not be fetched', { uri, problem });
    wanted.timer = setTimeout(() => this.#enqueue(uri), this.#pause(wanted));
    const metadata = { name: uri };
    this.#put(uri, {
      metadata,
      ...(text === undefined ? {} : { keys: text }),
      ...(problem === undefined ? {} : { problem }),
    });
    this.#onSettled();
  }

  /** Somewhat at random, lest all replicas ask at once. */
  #pause({ failures }: Wanted): number {
    const { refreshMs, retryMs } = this.#options;
    const pause =
      failures === 0 ? refreshMs : Math.min(retryMs * 2 ** Math.min(failures - 1, 20), LONGEST_RETRY_MS, refreshMs);
    return pause * (0.9 + 0.2 * Math.random());
  }

  #put(uri: string, object: FetchedKeys | undefined): void {
    const previous = this.#found.get(uri);
    if (object === undefined) this.#found.delete(uri);
    else this.#found.set(uri, object);
    if (object?.keys === previous?.keys && object?.problem === previous?.problem && previous !== undefined && object)
      return;
    for (const listener of this.#listeners) listener({ key: uri, object, previous });
  }
}
