import { hasPolicy } from '../mesh/authorization.ts';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import { MeshNodes } from './mesh-nodes.ts';

/** What proxies counted: for releases by revision, for people by who called whom. */
export interface TrafficRecords {
  readonly ledger: TrafficLedger;
  readonly history: TrafficHistory;
  /** Follows the mesh; is to be told of each change. */
  readonly nodes: MeshNodes;
}

/** Begins to take what proxies count. */
export function keepRecords(snapshot: () => MeshSnapshot): TrafficRecords {
  const nodes = new MeshNodes(snapshot());
  const history = new TrafficHistory(nodes);
  const ledger = new TrafficLedger({
    history,
    workload: (uid) => snapshot().workloads.get(uid),
    stableRevision: (service) => snapshot().services.get(service)?.split?.stable,
    isPolicyOf: (uid, policy) => hasPolicy(snapshot().workloads.get(uid), policy),
  });
  return { ledger, history, nodes };
}
