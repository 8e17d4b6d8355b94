import { UNIT_SECONDS } from '../../api/rate-limit-policy.ts';
import { type Counters, type Hit, type Tally, tallyOf } from './counters.ts';

/** Bounds of what is kept. */
export interface MemoryBounds {
  /** Keys of one domain: what is beyond them is counted together, so that one policy takes no room from others. */
  readonly maxKeysPerDomain: number;
  /** Keys looked at in one sweep. */
  readonly sweepKeys: number;
}

const BOUNDS: MemoryBounds = { maxKeysPerDomain: 50_000, sweepKeys: 20_000 };

interface Window {
  readonly endsAt: number;
  count: number;
}

/** Counts in the memory of this process. */
export class MemoryCounters implements Counters {
  readonly #domains = new Map<string, Map<string, Window>>();
  readonly #now: () => number;
  readonly #bounds: MemoryBounds;
  #sweeping: Iterator<undefined> | undefined;

  /** @param now ms of a clock that never goes back */
  constructor(now: () => number = () => performance.now(), bounds: Partial<MemoryBounds> = {}) {
    this.#now = now;
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /** Keys that are kept. */
  get size(): number {
    let size = 0;
    for (const windows of this.#domains.values()) size += windows.size;
    return size;
  }

  /** @inheritDoc */
  async count(domain: string, hits: readonly Hit[]): Promise<readonly Tally[]> {
    const windows = this.#domains.get(domain) ?? new Map<string, Window>();
    this.#domains.set(domain, windows);
    const now = this.#now();
    return hits.map((hit) => {
      const window = this.#windowOf(windows, hit, now);
      window.count += hit.hits;
      return tallyOf(window.count, hit.requests, window.endsAt - now);
    });
  }

  /** Forgets windows that have ended, of a part of the keys; to be called every second or so. */
  sweep(): void {
    this.#sweeping ??= this.#forgetEnded();
    for (let left = this.#bounds.sweepKeys; left > 0; left--) {
      if (this.#sweeping.next().done === true) {
        this.#sweeping = undefined;
        return;
      }
    }
  }

  #windowOf(windows: Map<string, Window>, { key, overflow, unit }: Hit, now: number): Window {
    const known = windows.get(`${unit} ${key}`);
    const isRoom = known !== undefined || windows.size < this.#bounds.maxKeysPerDomain;
    const name = `${unit} ${isRoom ? key : overflow}`;
    const present = isRoom ? known : windows.get(name);
    if (present !== undefined && present.endsAt > now) return present;
    const window = { endsAt: now + UNIT_SECONDS[unit] * 1000, count: 0 };
    windows.set(name, window);
    return window;
  }

  /** Gives one step for each key; what comes meanwhile may or may not be among them. */
  *#forgetEnded(): Generator<undefined> {
    for (const [domain, windows] of this.#domains) {
      for (const [name, { endsAt }] of windows) {
        if (endsAt <= this.#now()) windows.delete(name);
        yield undefined;
      }
      if (windows.size === 0) this.#domains.delete(domain);
    }
  }
}
