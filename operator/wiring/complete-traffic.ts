import type { AckReport } from '../ads/ack-report.ts';
import type { MeshSnapshot, WorkloadUid } from '../mesh/snapshot.ts';
import type { TrafficAnswer, TrafficQuery, TrafficSource } from '../telemetry/traffic.ts';

/** What completeness is judged by. */
export interface CompletenessPorts {
  readonly snapshot: () => MeshSnapshot;
  readonly acks: AckReport;
  /** Whether the pod is Ready: one on a lost node is not, and is not waited for. */
  readonly isReady: (uid: WorkloadUid) => boolean;
}

/**
 * The ledger's answer, complete only while every Ready proxy of the mesh has its stream here: one that reports to another
 * replica, or has not come back yet, may have seen failures that this replica knows nothing of.
 */
export class CompleteTraffic implements TrafficSource {
  readonly #ledger: TrafficSource;
  readonly #ports: CompletenessPorts;

  constructor(ledger: TrafficSource, ports: CompletenessPorts) {
    this.#ledger = ledger;
    this.#ports = ports;
  }

  window(query: TrafficQuery): TrafficAnswer {
    const answer = this.#ledger.window(query);
    return { ...answer, complete: answer.complete && this.#everybodyIsHere() };
  }

  #everybodyIsHere(): boolean {
    const { snapshot, acks, isReady } = this.#ports;
    for (const uid of snapshot().workloads.keys()) {
      if (acks.proxy(uid) === undefined && isReady(uid)) return false;
    }
    return true;
  }
}
