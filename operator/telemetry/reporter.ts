import type { MetricsMessage, Sample } from './metrics-message.ts';

/** Most time series that are kept of one proxy. */
const MAX_SERIES = 5_000;
/** Two estimates of one process's start differ by less, in ms: uptime comes in whole seconds. */
const SAME_START_MS = 3_000;
/** Envoy's uptime is the difference of two times without their fractions, so that a process may be younger by this, in ms, than it says. */
const UPTIME_ERROR_MS = 1_000;
/** What was counted before, in ms, is not of now: either nobody heard of it, or another replica did, which then has counted it. */
const LATE_MS = 60_000;
/** How long a proxy's uptime is waited for, in ms: two flushes. */
const UPTIME_PATIENCE_MS = 10_000;

/**
 * Turns the cumulative counters of one proxy into increments. A counter is never taken for smaller than it was: a proxy that
 * was restarted begins at zero, a stream that broke for less than a minute loses nothing, and what was counted before we listened, or while somebody
 * else may have, is left out.
 */
export class Reporter {
  /** When it last reported, in ms since the epoch. */
  lastReport = 0;
  /** Series that were not kept, for there are too many. */
  dropped = 0;
  private readonly listeningSince: number;
  private counters = new Map<string, number>();
  private processStart: number | undefined;
  /** Samples that came before it was clear which process they are of. */
  private unsure: Sample<number>[] | undefined = [];
  private unsureSince: number | undefined;
  /** So long, in ms, nothing was heard before the stream that is there now. */
  private silentMs = 0;

  /** @param listeningSince when this replica began to take reports, in ms since the epoch */
  constructor(listeningSince: number) {
    this.listeningSince = listeningSince;
  }

  /**
   * Takes a message.
   * @param now ms since the epoch
   * @returns increments of request counters; empty until the message with the proxy's uptime has come
   */
  take(message: MetricsMessage, now: number): Sample<number>[] {
    if (message.first) {
      // A process that was restarted opens a new stream: which one it is, is told by the uptime, later in the same flush.
      this.unsure ??= [];
      this.unsureSince = now;
      this.silentMs = now - this.lastReport;
    }
    this.lastReport = now;
    this.unsureSince ??= now;
    if (this.unsure === undefined) {
      return this.increments(message.requests);
    }
    for (const sample of message.requests) this.unsure.push(sample);
    if (message.uptime !== undefined) {
      const upMs = message.uptime.seconds * 1000;
      const isOurs = now - upMs >= this.listeningSince - UPTIME_ERROR_MS;
      return this.settle(message.uptime.processStart, isOurs && upMs <= LATE_MS);
    }
    // A proxy that does not tell its uptime: decreasing counters are all there is to go by.
    const patient = this.unsure.length <= MAX_SERIES && now - this.unsureSince <= UPTIME_PATIENCE_MS;
    return patient ? [] : this.settle(this.processStart ?? 0, false);
  }

  /** @param fresh the process began lately, and after we began to listen, so that everything it counted is of now */
  private settle(start: number, fresh: boolean): Sample<number>[] {
    const samples = this.unsure ?? [];
    this.unsure = undefined;
    const known = this.processStart;
    this.processStart = start;
    const isKnown = known !== undefined && start - known <= SAME_START_MS;
    if (!isKnown) this.counters = new Map();
    const isOfNow = fresh || (known !== undefined && this.silentMs <= LATE_MS);
    const grown = this.increments(samples);
    return isOfNow ? grown : [];
  }

  private increments(samples: readonly Sample<number>[]): Sample<number>[] {
    const grown: Sample<number>[] = [];
    for (const { key, value } of samples) {
      const before = this.counters.get(key);
      if (before === undefined && this.counters.size >= MAX_SERIES) {
        this.dropped++;
        continue;
      }
      this.counters.set(key, value);
      const by = before === undefined || value < before ? value : value - before;
      grown.push({ key, value: by });
    }
    return grown;
  }
}
