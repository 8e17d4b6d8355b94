import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { AddressQuery } from '../canary/ports.ts';
import type { MeshSnapshot } from '../mesh/snapshot.ts';

type Target = Pick<AddressQuery, 'namespace' | 'stable' | 'next'>;

/** Sidecars with a stream, of pods of the mesh, while neither streams nor pods change. */
interface Roll {
  readonly moves: number;
  readonly workloads: MeshSnapshot['workloads'];
  readonly all: readonly ProxyReport[];
  /** By namespace and revision; those without a revision are in none. */
  readonly revisions: ReadonlyMap<string, readonly ProxyReport[]>;
}

/**
 * Who calls a target: all sidecars with a stream but its own. Each weight of each Canary asks for them, of a thousand at about the same time, so who there
 * is is looked up once until streams or pods change.
 */
export class CallerRoll {
  readonly #snapshot: () => MeshSnapshot;
  readonly #acks: Pick<AckReport, 'moves' | 'proxies'>;
  #roll: Roll | undefined;

  constructor(snapshot: () => MeshSnapshot, acks: Pick<AckReport, 'moves' | 'proxies'>) {
    this.#snapshot = snapshot;
    this.#acks = acks;
  }

  /** How many there are. */
  count(target: Target): number {
    return this.#current().all.length - this.#own(target).length;
  }

  callers(target: Target): ProxyReport[] {
    const own = new Set(this.#own(target));
    return this.#current().all.filter((report) => !own.has(report));
  }

  #own({ namespace, stable, next }: Target): ProxyReport[] {
    const { revisions } = this.#current();
    return [...new Set([stable, next])].flatMap((revision) => revisions.get(`${namespace}/${revision}`) ?? []);
  }

  #current(): Roll {
    const { workloads } = this.#snapshot();
    const { moves } = this.#acks;
    if (this.#roll?.moves === moves && this.#roll.workloads === workloads) return this.#roll;
    const all: ProxyReport[] = [];
    const revisions = new Map<string, ProxyReport[]>();
    for (const report of this.#acks.proxies()) {
      const workload = report.connected ? workloads.get(report.identity.uid) : undefined;
      if (workload === undefined) continue;
      all.push(report);
      if (workload.revision === '') continue;
      const key = `${workload.namespace}/${workload.revision}`;
      const known = revisions.get(key);
      if (known === undefined) revisions.set(key, [report]);
      else known.push(report);
    }
    this.#roll = { moves, workloads, all, revisions };
    return this.#roll;
  }
}
