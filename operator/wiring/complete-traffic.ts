import type { AckReport } from '../ads/ack-report.ts';
import type { MeshSnapshot, Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { TrafficAnswer, TrafficQuery, TrafficSource } from '../telemetry/traffic.ts';

/** What completeness is judged by. */
export interface CompletenessPorts {
  readonly snapshot: () => MeshSnapshot;
  readonly acks: Pick<AckReport, 'proxy'>;
  /** Since when the pod has served, in ms since the epoch; undefined while it does not: one on a lost node is not waited for. */
  readonly servingSince: (uid: WorkloadUid) => number | undefined;
  /** Whether every other replica that serves reports here, so that a pod nobody knows of has no stream at all. */
  readonly hearsAll: () => boolean;
}

/** What the ledger tells of those who report to it. */
export interface ReportLedger extends TrafficSource {
  /** When it began to take reports, in ms since the epoch. */
  readonly startedAt: number;
  lastReport(uid: WorkloadUid): number | undefined;
  callersOf(services: readonly string[]): ReadonlySet<string>;
}

/** After so long, in ms, a pod without a stream holds up only the releases that it has to do with. */
const PATIENCE_MS = 60_000;
/** Pods that are named. */
const NAMED = 3;

/**
 * The ledger's answer, complete only while the serving proxies of the mesh have their streams here: one that reports to another
 * replica, or has not come back yet, may have seen failures that this replica knows nothing of. A sidecar that stays away
 * (it is cut off, or none of ours) must not stop every release of the mesh for that: after a minute only those count that
 * called the Services in the last quarter of an hour, and the revision's own. That holds while every other replica reports here.
 * The revision's own must have reported in the window, too: without what they served nothing is known against it, nor for it.
 */
export class CompleteTraffic implements TrafficSource {
  readonly #ledger: ReportLedger;
  readonly #ports: CompletenessPorts;

  constructor(ledger: ReportLedger, ports: CompletenessPorts) {
    this.#ledger = ledger;
    this.#ports = ports;
  }

  window(query: TrafficQuery): TrafficAnswer {
    const answer = this.#ledger.window(query);
    const missing = this.#missing(query);
    return missing.length === 0 ? answer : { ...answer, complete: false, missing };
  }

  /** The first few of the pods whose counts are missed, as `namespace/name`. */
  #missing(query: TrafficQuery): string[] {
    const { snapshot, acks, servingSince, hearsAll } = this.#ports;
    const { services, until } = query;
    const names: string[] = [];
    let awaited: ReadonlySet<string> | undefined;
    let all: boolean | undefined;
    for (const [uid, workload] of snapshot().workloads) {
      const isJudged = isOfRevision(workload, query);
      const lastReport = this.#ledger.lastReport(uid);
      // Of those that are judged a stream is not enough: the replica that has it may stand still.
      const isSilent = isJudged && (lastReport === undefined || lastReport < query.since);
      const since = isSilent || acks.proxy(uid) === undefined ? servingSince(uid) : undefined;
      if (since === undefined) continue;
      const { startedAt } = this.#ledger;
      const awaySince = Math.max(since, startedAt, lastReport ?? startedAt);
      if (until - awaySince > PATIENCE_MS && !isJudged) {
        all ??= hearsAll();
        awaited ??= this.#ledger.callersOf(services);
        if (all && !awaited.has(uid)) continue;
      }
      names.push(`${workload.namespace}/${workload.name}`);
      if (names.length === NAMED) break;
    }
    return names;
  }
}

function isOfRevision({ namespace, revision }: Workload, query: TrafficQuery): boolean {
  return namespace === query.namespace && revision !== '' && revision === query.revision;
}
