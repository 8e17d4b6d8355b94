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

type Pod = readonly [uid: WorkloadUid, workload: Workload];

/** The pods of the mesh at a moment. */
interface RollCall {
  /** In ms since the epoch. */
  readonly at: number;
  /** By namespace and revision; those without a revision are in none. */
  readonly revisions: ReadonlyMap<string, readonly Pod[]>;
  /** Those without a stream. */
  readonly away: readonly Pod[];
}

/** After so long, in ms, a pod without a stream holds up only the releases that it has to do with. */
const PATIENCE_MS = 60_000;
/** A roll of pods is taken for so long for the present one, in ms: much shorter than the time between two flushes of a proxy. */
const ROLL_MS = 250;
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
  #rolls: RollCall | undefined;

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
    const { revisions, away } = this.#rollCall(query.until);
    const names = new Set<string>();
    let awaited: ReadonlySet<string> | undefined;
    const isAwaited = (uid: WorkloadUid): boolean => {
      awaited ??= this.#ports.hearsAll() ? this.#ledger.callersOf(query.services) : undefined;
      return awaited?.has(uid) ?? true;
    };
    for (const pods of [revisions.get(revisionKey(query)) ?? [], away]) {
      for (const [uid, { namespace, name, revision }] of pods) {
        const isJudged = revision !== '' && revisionKey({ namespace, revision }) === revisionKey(query);
        if (this.#isMissing(uid, isJudged, query, isAwaited)) names.add(`${namespace}/${name}`);
        if (names.size === NAMED) return [...names];
      }
    }
    return [...names];
  }

  /** @param isAwaited whether one that has been away for long is waited for all the same */
  #isMissing(
    uid: WorkloadUid,
    isJudged: boolean,
    { since, until }: TrafficQuery,
    isAwaited: (uid: WorkloadUid) => boolean,
  ): boolean {
    const lastReport = this.#ledger.lastReport(uid);
    // Of those that are judged a stream is not enough: the replica that has it may stand still.
    const isSilent = isJudged && (lastReport === undefined || lastReport < since);
    const serves = isSilent || this.#ports.acks.proxy(uid) === undefined ? this.#ports.servingSince(uid) : undefined;
    if (serves === undefined) return false;
    const { startedAt } = this.#ledger;
    const awaySince = Math.max(serves, startedAt, lastReport ?? startedAt);
    return until - awaySince <= PATIENCE_MS || isJudged || isAwaited(uid);
  }

  /** Which pods there are, and which have no stream: looked up once for all Canaries that ask at about the same time. @param now ms since the epoch */
  #rollCall(now: number): RollCall {
    if (this.#rolls !== undefined && Math.abs(now - this.#rolls.at) < ROLL_MS) return this.#rolls;
    const revisions = new Map<string, Pod[]>();
    const away: Pod[] = [];
    for (const pod of this.#ports.snapshot().workloads) {
      const [uid, workload] = pod;
      if (this.#ports.acks.proxy(uid) === undefined) away.push(pod);
      if (workload.revision === '') continue;
      const key = revisionKey(workload);
      const known = revisions.get(key);
      if (known === undefined) revisions.set(key, [pod]);
      else known.push(pod);
    }
    this.#rolls = { at: now, revisions, away };
    return this.#rolls;
  }
}

function revisionKey({ namespace, revision }: { readonly namespace: string; readonly revision: string }): string {
  return `${namespace}/${revision}`;
}
