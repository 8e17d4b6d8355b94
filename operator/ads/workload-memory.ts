import type { ProxyIdentity } from '../xds/resource.ts';

/** What is remembered at most. */
export interface MemoryBounds {
  /** Names of one type that a workload has. */
  readonly namesOfWorkload: number;
  /** Workloads, counted once for each type of which they have names. */
  readonly workloads: number;
  /** Names of all workloads together. */
  readonly names: number;
  /** A name that no pod has asked for in so many ms is forgotten. */
  readonly forgetAfterMs: number;
}

export const MEMORY_BOUNDS: MemoryBounds = {
  namesOfWorkload: 2_000,
  workloads: 10_000,
  names: 500_000,
  forgetAfterMs: 7 * 24 * 3_600_000,
};

export interface WorkloadMemoryOptions {
  /** What a proxy's pod belongs to, by a key that outlives the pod; undefined: what it uses is not remembered. */
  readonly workloadOf: (proxy: ProxyIdentity) => string | undefined;
  /** Ms since the epoch. */
  readonly now: () => number;
  readonly bounds?: Partial<MemoryBounds>;
}

/** Takes in which names proxies use of what they are sent on demand, wherever their streams are. */
export interface NameUse {
  /** Whether what the proxy uses is remembered. */
  remembers(proxy: ProxyIdentity): boolean;
  /** The proxy asks for these names, or asked for them at some time, and still does. */
  asked(proxy: ProxyIdentity, typeUrl: string, names: readonly string[]): void;
  /** The proxy has these, and somebody asked for them once: it may have been sent them ahead. */
  held(proxy: ProxyIdentity, typeUrl: string, names: readonly string[]): void;
}

/** How often what has to be forgotten is looked for, as a share of the time after which it is. */
const SWEEP_SHARE = 1 / 168;

/**
 * Remembers which names the pods of a workload asked for, so that the next pod is sent them ahead. What it was sent ahead a pod does not ask for: so names
 * fade unless one that asked for them itself lives on (it asks again on each stream), and then one pod asks again.
 */
export class WorkloadMemory implements NameUse {
  readonly bounds: MemoryBounds;
  private readonly workloadOf: (proxy: ProxyIdentity) => string | undefined;
  private readonly now: () => number;
  /** By workload and type, those that were used last at the end: when each name was last asked for, the newest mostly at the end. */
  private readonly workloads = new Map<string, Map<string, number>>();
  private names = 0;
  private readonly begunAt: number;
  private sweptAt: number;

  constructor({ workloadOf, now, bounds = {} }: WorkloadMemoryOptions) {
    this.workloadOf = workloadOf;
    this.now = now;
    this.bounds = { ...MEMORY_BOUNDS, ...bounds };
    this.begunAt = now();
    this.sweptAt = this.begunAt;
  }

  /** How many names are remembered of all workloads. */
  get size(): number {
    return this.names;
  }

  /** @inheritDoc */
  remembers(proxy: ProxyIdentity): boolean {
    return this.workloadOf(proxy) !== undefined;
  }

  /** Names of a type that pods of the proxy's workload asked for. */
  ahead(proxy: ProxyIdentity, typeUrl: string): readonly string[] {
    const workload = this.workloadOf(proxy);
    const known = workload === undefined ? undefined : this.workloads.get(keyOf(workload, typeUrl));
    const oldest = this.now() - this.bounds.forgetAfterMs;
    return [...(known ?? [])].filter(([, askedAt]) => askedAt > oldest).map(([name]) => name);
  }

  /** @inheritDoc */
  asked(proxy: ProxyIdentity, typeUrl: string, names: readonly string[]): void {
    const now = this.now();
    this.note(proxy, typeUrl, names, now, (known) => {
      if (known.size <= this.bounds.namesOfWorkload) return;
      const [oldest] = known.keys();
      if (oldest !== undefined && known.delete(oldest)) this.names--;
    });
  }

  /**
   * When they were asked for is not known: at the latest when this memory began, for it knows of everything since. So they fade after the same time, though
   * pods that hold them come again and again.
   * @inheritDoc
   */
  held(proxy: ProxyIdentity, typeUrl: string, names: readonly string[]): void {
    this.note(proxy, typeUrl, names, this.begunAt, (known, added) => {
      if (known.size > this.bounds.namesOfWorkload && known.delete(added)) this.names--;
    });
  }

  /** @param trim brings a workload's names back into their bound after one was added */
  private note(
    proxy: ProxyIdentity,
    typeUrl: string,
    names: readonly string[],
    askedAt: number,
    trim: (known: Map<string, number>, added: string) => void,
  ): void {
    const now = this.now();
    const workload = names.length === 0 ? undefined : this.workloadOf(proxy);
    if (workload === undefined || askedAt <= now - this.bounds.forgetAfterMs) return;
    const key = keyOf(workload, typeUrl);
    const known = this.workloads.get(key) ?? new Map<string, number>();
    this.workloads.delete(key);
    this.workloads.set(key, known);
    for (const name of names) {
      const before = known.get(name);
      if (before !== undefined && before >= askedAt) continue;
      if (!known.delete(name)) this.names++;
      known.set(name, askedAt);
      trim(known, name);
    }
    this.sweep(now);
    for (const [oldest, { size }] of this.workloads) {
      if (this.workloads.size <= this.bounds.workloads && this.names <= this.bounds.names) break;
      this.workloads.delete(oldest);
      this.names -= size;
    }
  }

  private sweep(now: number): void {
    const { forgetAfterMs } = this.bounds;
    if (now - this.sweptAt < forgetAfterMs * SWEEP_SHARE) return;
    this.sweptAt = now;
    for (const [key, known] of this.workloads) {
      for (const [name, askedAt] of known) {
        if (askedAt > now - forgetAfterMs) continue;
        known.delete(name);
        this.names--;
      }
      if (known.size === 0) this.workloads.delete(key);
    }
  }
}

function keyOf(workload: string, typeUrl: string): string {
  return `${typeUrl} ${workload}`;
}
