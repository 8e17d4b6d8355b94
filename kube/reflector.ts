import { Backoff, pause } from './backoff.ts';
import type { KubeApi, Selection } from './kube-api.ts';
import { isGone, isNotFound, KubeConnectionError, KubeError } from './kube-error.ts';
import { type Logger, silentLogger } from './logger.ts';
import { type KubeObject, objectKey } from './object.ts';
import type { ResourceKind } from './resource-kind.ts';
import { Store } from './store.ts';

export interface ReflectorOptions<T extends KubeObject> extends Selection {
  readonly api: Pick<KubeApi, 'list' | 'watch'>;
  readonly kind: ResourceKind;
  readonly store?: Store<T>;
  /** Trims an object before it is kept; default: drops `metadata.managedFields`. */
  readonly transform?: (object: T) => T;
  /** Where given, objects of other namespaces are not kept, but for what `rest` leaves of them. To be followed by `reselect` when it changes. */
  readonly wants?: (namespace: string) => boolean;
  /**
   * What is kept of an object (as `transform` gave it) of a namespace that is not wanted; default: nothing. What is less than the object must be without
   * its resourceVersion, so that the store takes the whole one for another when it comes.
   */
  readonly rest?: (object: T) => T | undefined;
  readonly logger?: Logger;
  /** A watch that is silent for so long is begun anew; milliseconds, default 120,000. */
  readonly idleMs?: number;
  /** First and longest pause after an error; milliseconds, default 250 and 30,000. */
  readonly backoffMs?: readonly [number, number];
  /** How often a kind that does not exist (404: its CRD is absent) is looked for; milliseconds, default 5,000. */
  readonly absentMs?: number;
  /** Longest pause while nobody is reached; milliseconds, default 5,000. */
  readonly unreachedMs?: number;
}

/** After so many failed watches in a row from one version the reflector lists again. */
const WATCH_FAILURES_BEFORE_LIST = 3;

/** Drops what only the API server needs, which is often the larger half of an object. */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields !== undefined) delete object.metadata.managedFields;
  return object;
}

/**
 * Keeps a store equal to a collection of the API server: list, watch from there, and again. It ends only by `stop`;
 * every error is logged and waited out. A kind without a CRD counts as empty and synced until the CRD comes.
 */
export class Reflector<T extends KubeObject = KubeObject> {
  readonly store: Store<T>;
  readonly #options: ReflectorOptions<T>;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #transform: (object: T) => T;
  readonly #abort = new AbortController();
  /** Namespaces of which something was left out. */
  readonly #reduced = new Set<string>();
  /** Those among them that are wanted by now. */
  readonly #missing = new Set<string>();
  /** Ends one watch, so that what is missing is fetched before the next. */
  #turn = new AbortController();
  #running: Promise<void> | undefined;
  #resourceVersion = '';
  #lastContact = 0;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#logger = (options.logger ?? silentLogger).child({ kind: options.kind.kind });
    this.store = options.store ?? new Store<T>((error) => this.#logger.error('store listener failed', { error }));
    this.#backoff = new Backoff(...(options.backoffMs ?? [250, 30_000]));
    this.#transform = options.transform ?? dropManagedFields;
  }

  /** Milliseconds since the API server last answered or sent an event; for health checks. */
  get silentMs(): number {
    return this.#lastContact === 0 ? Number.POSITIVE_INFINITY : performance.now() - this.#lastContact;
  }

  /** Begins; resolves with the first list. Calling it again only waits. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.store.synced;
  }

  /** Ends the watch; the store keeps what it has. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  /**
   * To be called when a namespace is wanted, or is not any more. Its objects come as soon as the API server has given them, without a list of all
   * others, and go at once.
   */
  reselect(namespace: string): void {
    if (this.#options.wants?.(namespace) !== false) {
      // Nothing of it was left out: whatever comes from now on is taken.
      if (!this.#reduced.has(namespace)) return;
      this.#missing.add(namespace);
      this.#turn.abort();
      return;
    }
    this.#missing.delete(namespace);
    for (const key of [...this.store.keys()]) {
      const object = key.startsWith(`${namespace}/`) ? this.store.get(key) : undefined;
      if (object !== undefined) this.#put(object);
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#list();
        await this.#watchOn();
      } catch (error) {
        if (signal.aborted) return;
        await this.#waitOut(error);
      }
    }
  }

  async #waitOut(error: unknown): Promise<void> {
    if (isNotFound(error)) {
      if (!this.store.hasSynced || this.store.size > 0) this.#logger.info('kind is absent, looking again later');
      this.store.replace([]);
      this.#backoff.reset();
      const absentMs = this.#options.absentMs ?? 5000;
      return pause(absentMs * (0.75 + Math.random() / 2), this.#abort.signal);
    }
    // A server that is not there is no worse off for being asked, and until it is asked the mesh stays as it was.
    const longest = isUnreached(error) ? (this.#options.unreachedMs ?? 5000) * (0.5 + Math.random() / 2) : Infinity;
    const delay = Math.min(Math.max(this.#backoff.next(), retryAfterMs(error)), longest);
    this.#logger.warn('list failed, trying again', { error, delayMs: Math.round(delay) });
    return pause(delay, this.#abort.signal);
  }

  async #list(): Promise<void> {
    const { api, kind, namespace, labelSelector, fieldSelector } = this.#options;
    const selection = { namespace, labelSelector, fieldSelector, signal: this.#abort.signal };
    const result = await api.list<T>(kind, selection);
    this.#resourceVersion = result.resourceVersion;
    this.#lastContact = performance.now();
    this.#missing.clear();
    this.#reduced.clear();
    this.store.replace(result.items.flatMap((item) => this.#keep(this.#transform(item)) ?? []));
  }

  /** What is to be kept of an object; undefined: nothing. */
  #keep(object: T): T | undefined {
    const { wants, rest } = this.#options;
    const namespace = object.metadata?.namespace;
    if (wants === undefined || namespace === undefined || wants(namespace)) return object;
    const left = rest?.(object);
    if (left !== object) this.#reduced.add(namespace);
    return left;
  }

  #put(object: T): void {
    const kept = this.#keep(object);
    if (kept === undefined) this.store.delete(objectKey(object));
    else this.store.set(kept);
  }

  /**
   * Lists the namespaces that became wanted. It goes before the watch goes on, from where it was: what that tells of them until then is older than the
   * list, which does no harm, as all of it comes up to the present; and what went meanwhile is told of.
   */
  async #fetchMissing(): Promise<void> {
    const { api, kind, labelSelector, fieldSelector } = this.#options;
    // Those that are added meanwhile have their turn as well.
    for (const namespace of this.#missing) {
      const selection = { namespace, labelSelector, fieldSelector, signal: this.#abort.signal };
      const { items } = await api.list<T>(kind, selection);
      this.#lastContact = performance.now();
      // Unwanted again meanwhile.
      if (!this.#missing.delete(namespace)) continue;
      this.#reduced.delete(namespace);
      for (const item of items) this.#put(this.#transform(item));
    }
  }

  /** Watches, resuming where it ended, until only a new list can help. */
  async #watchOn(): Promise<void> {
    let failures = 0;
    while (!this.#abort.signal.aborted) {
      const from = this.#resourceVersion;
      const begun = performance.now();
      let cause: unknown;
      let turn: AbortController | undefined;
      try {
        await this.#fetchMissing();
        if (this.#missing.size > 0) continue;
        turn = new AbortController();
        this.#turn = turn;
        await this.#watchOnce(AbortSignal.any([this.#abort.signal, turn.signal]));
      } catch (error) {
        cause = error;
      }
      if (this.#abort.signal.aborted) return;
      if (turn?.signal.aborted) continue;
      if (isGone(cause)) {
        this.#logger.info('watch is too old, listing again');
        // Not at once: a server that answers 410 to everything must not be flooded with lists.
        return pause(this.#backoff.next(), this.#abort.signal);
      }
      if (isNotFound(cause)) return;
      const advanced = this.#resourceVersion !== from;
      if (advanced || performance.now() - begun > 5000) {
        failures = 0;
        this.#backoff.reset();
      } else failures++;
      if (failures >= WATCH_FAILURES_BEFORE_LIST) return;
      if (cause !== undefined) this.#logger.info('watch ended, resuming', { error: cause });
      if (cause !== undefined || failures > 0) {
        await pause(Math.max(this.#backoff.next(), retryAfterMs(cause)), this.#abort.signal);
      }
    }
  }

  async #watchOnce(signal: AbortSignal): Promise<void> {
    const { api, kind, namespace, labelSelector, fieldSelector, idleMs } = this.#options;
    const events = api.watch<T>(kind, {
      namespace,
      labelSelector,
      fieldSelector,
      resourceVersion: this.#resourceVersion,
      // Spread out, so that not all watches of all replicas end at once.
      timeoutSeconds: 240 + Math.floor(Math.random() * 120),
      ...(idleMs === undefined ? {} : { idleMs }),
      signal,
    });
    for await (const { type, object } of events) {
      this.#lastContact = performance.now();
      const version = object.metadata?.resourceVersion;
      if (!version) throw new KubeError(0, 'MalformedEvent', `watch: ${type} event without metadata.resourceVersion`);
      if (type === 'DELETED') this.store.delete(objectKey(object));
      else if (type !== 'BOOKMARK') this.#put(this.#transform(object));
      this.#resourceVersion = version;
    }
  }
}

/** Nobody answered at all. One who takes too long may have too much to do: that is no reason to ask more often. */
function isUnreached(error: unknown): boolean {
  return error instanceof KubeConnectionError && error.code !== 'ETIMEDOUT';
}

function retryAfterMs(error: unknown): number {
  const seconds = error instanceof KubeError ? (error.retryAfterSeconds ?? 0) : 0;
  return Math.min(seconds, 60) * 1000;
}
