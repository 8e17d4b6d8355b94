import { EVENT } from './kinds.ts';
import type { KubeApi } from './kube-api.ts';
import { isNotFound } from './kube-error.ts';
import { microTime } from './leader-election.ts';
import { type Logger, silentLogger } from './logger.ts';
import type { KubeObject, ObjectMeta } from './object.ts';

/** What an event is about. */
export type EventSubject = KubeObject & { metadata?: ObjectMeta };

export interface EventDetails {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, at most 128 characters. */
  readonly reason: string;
  /** What was done, CamelCase; default: the reason. */
  readonly action?: string;
  /** For people; cut at 1,024 characters. */
  readonly message: string;
}

export interface EventRecorderOptions {
  readonly api: Pick<KubeApi, 'create' | 'patch'>;
  /** Name of the controller, for example `heddle.dev/operator`. */
  readonly reporter: string;
  /** Name of this process's pod. */
  readonly instance: string;
  /** Namespace for events about cluster-scoped objects; default `default`, as Kubernetes has it. */
  readonly clusterNamespace?: string;
  readonly logger?: Logger;
  /** Events about one object in a burst, and the time in which one more is earned; default 25 and 60,000 ms. */
  readonly burst?: number;
  readonly refillMs?: number;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  lastSeen: number;
}

interface Allowance {
  left: number;
  at: number;
}

const MAX_REMEMBERED = 4096;
const SERIES_MS = 10 * 60_000;
const MAX_PENDING = 256;

/** Writes Kubernetes events; a repeat raises the first one's count; never throws and never floods the API server. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #logger: Logger;
  readonly #series = new Map<string, Series>();
  readonly #allowances = new Map<string, Allowance>();
  #tail: Promise<void> = Promise.resolve();
  #pending = 0;
  #counter = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
  }

  /** Records an event about an object, in the background. The object needs apiVersion, kind and metadata. */
  record(subject: EventSubject, details: EventDetails): void {
    const owner = `${subject.kind}/${subject.metadata?.namespace}/${subject.metadata?.name}/${subject.metadata?.uid}`;
    if (this.#pending >= MAX_PENDING || !this.#allowed(owner)) {
      this.#logger.debug('event dropped', { owner, reason: details.reason });
      return;
    }
    this.#pending++;
    // One after the other: a repeat must find the event it repeats.
    this.#tail = this.#tail
      .then(() => this.#write(`${owner}/${details.type}/${details.reason}/${details.message}`, subject, details))
      .catch((error: unknown) => this.#logger.warn('event could not be written', { reason: details.reason, error }))
      .then(() => {
        this.#pending--;
      });
  }

  /** Resolves when all events recorded so far are written or given up. */
  flush(): Promise<void> {
    return this.#tail;
  }

  #allowed(owner: string): boolean {
    const burst = this.#options.burst ?? 25;
    const now = performance.now();
    const known = this.#allowances.get(owner) ?? { left: burst, at: now };
    const earned = (now - known.at) / (this.#options.refillMs ?? 60_000);
    const left = Math.min(burst, known.left + earned);
    remember(this.#allowances, owner, { left: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  }

  async #write(key: string, subject: EventSubject, details: EventDetails): Promise<void> {
    const now = Date.now();
    const known = this.#series.get(key);
    if (known && now - known.lastSeen < SERIES_MS) {
      known.count++;
      known.lastSeen = now;
      const series = { count: known.count, lastObservedTime: microTime(now) };
      try {
        await this.#options.api.patch(EVENT, known, 'merge', { series });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const event = this.#event(subject, details, now);
    await this.#options.api.create(EVENT, event);
    remember(this.#series, key, { ...event.metadata, count: 1, lastSeen: now });
  }

  #event(subject: EventSubject, { type, reason, action, message }: EventDetails, now: number) {
    const { name = '', namespace = '', uid, resourceVersion } = subject.metadata ?? {};
    const eventNamespace = namespace || (this.#options.clusterNamespace ?? 'default');
    const suffix = `${now.toString(16)}${(this.#counter++).toString(16).padStart(4, '0')}`;
    return {
      metadata: { name: `${name.slice(0, 220)}.${suffix}`, namespace: eventNamespace },
      eventTime: microTime(now),
      reportingController: this.#options.reporter,
      reportingInstance: this.#options.instance.slice(0, 128),
      action: action ?? reason,
      reason,
      type,
      note: message.slice(0, 1024),
      regarding: { apiVersion: subject.apiVersion, kind: subject.kind, name, namespace, uid, resourceVersion },
    };
  }
}

/** Sets an entry as the newest, and forgets the oldest beyond a bound. */
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
