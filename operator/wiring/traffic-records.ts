import { type MeshConfig, readMeshConfig } from '../../api/mesh-config.ts';
import { hasPolicy } from '../mesh/authorization.ts';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import { MeshNodes } from './mesh-nodes.ts';

const DEFAULTS = readMeshConfig('');

/** What proxies counted: for releases by revision, for people by who called whom. */
export interface TrafficRecords {
  readonly ledger: TrafficLedger;
  readonly history: TrafficHistory;
  /** Follows the mesh; is to be told of each change. */
  readonly nodes: MeshNodes;
}

/** Begins to take what proxies count. Where a Prometheus has the calls they are not remembered here. */
export function keepRecords(
  snapshot: () => MeshSnapshot,
  { dashboard, prometheus }: Pick<MeshConfig, 'dashboard' | 'prometheus'> = DEFAULTS,
): TrafficRecords {
  const nodes = new MeshNodes(snapshot());
  const slices = { keepMs: dashboard.historyMinutes * 60_000 };
  const history = new TrafficHistory(nodes, { slices, remembersCalls: prometheus === undefined });
  const ledger = new TrafficLedger({
    history,
    workload: (uid) => snapshot().workloads.get(uid),
    stableRevision: (service) => snapshot().services.get(service)?.split?.stable,
    isPolicyOf: (uid, policy) => hasPolicy(snapshot().workloads.get(uid), policy),
  });
  return { ledger, history, nodes };
}
