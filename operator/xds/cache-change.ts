import type { WorkloadUid } from '../mesh/snapshot.ts';
import type { ProxyIdentity, ResourceChange } from './resource.ts';

type Names = ReadonlyMap<string, ReadonlySet<string>>;

/** Collects what one update alters: for everybody, and for single workloads. */
export class CacheChange implements ResourceChange {
  private readonly shared = new Map<string, Set<string>>();
  private readonly own = new Map<WorkloadUid, Map<string, Set<string>>>();
  private readonly whole = new Set<WorkloadUid>();
  private readonly everything: (proxy: ProxyIdentity) => Names;

  /** @param everything gives all names that a proxy had or has, by type */
  constructor(everything: (proxy: ProxyIdentity) => Names) {
    this.everything = everything;
  }

  addShared(typeUrl: string, name: string): void {
    addName(this.shared, typeUrl, name);
  }

  addOwn(uid: WorkloadUid, typeUrl: string, name: string): void {
    const names = this.own.get(uid) ?? new Map<string, Set<string>>();
    this.own.set(uid, names);
    addName(names, typeUrl, name);
  }

  /** Everything may differ for this workload. */
  addWhole(uid: WorkloadUid): void {
    this.whole.add(uid);
  }

  /** Whether nothing differs for anybody. */
  get empty(): boolean {
    return this.shared.size === 0 && this.own.size === 0 && this.whole.size === 0;
  }

  /** @inheritDoc */
  affected(proxy: ProxyIdentity): Names | undefined {
    const own = this.own.get(proxy.uid);
    const whole = this.whole.has(proxy.uid) ? this.everything(proxy) : undefined;
    if (own === undefined && whole === undefined) return this.shared.size === 0 ? undefined : this.shared;
    const merged = new Map<string, ReadonlySet<string>>(this.shared);
    for (const [typeUrl, names] of [...(own ?? []), ...(whole ?? [])]) {
      merged.set(typeUrl, new Set([...names, ...(merged.get(typeUrl) ?? [])]));
    }
    return merged;
  }
}

function addName(names: Map<string, Set<string>>, typeUrl: string, name: string): void {
  const set = names.get(typeUrl) ?? new Set<string>();
  names.set(typeUrl, set.add(name));
}
