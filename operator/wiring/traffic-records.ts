import { type MeshConfig, readMeshConfig } from '../../api/mesh-config.ts';
import { INBOUND_PORT } from '../../proxy/ports.ts';
import { hasPolicy } from '../mesh/authorization.ts';
import type { MeshDelta, MeshSnapshot } from '../mesh/snapshot.ts';
import { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { UsageHistory } from '../telemetry/history/usage-history.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import { OpenTable } from '../telemetry/open-table.ts';
import { MeshNodes } from './mesh-nodes.ts';
import { PoolLimitIndex } from './pool-limits.ts';

const DEFAULTS = readMeshConfig('');

/** What proxies counted: for releases by revision, for people by who called whom. */
export interface TrafficRecords {
  readonly ledger: TrafficLedger;
  readonly history: TrafficHistory;
  readonly nodes: MeshNodes;
  /** What nodes used, as far as somebody looked. */
  readonly usage: UsageHistory;
  /** What each proxy has open, and what it may. */
  readonly open: OpenTable;
  readonly limits: PoolLimitIndex;
  /** Takes in what changed of the mesh; is to be told of each change. */
  update(snapshot: MeshSnapshot, delta: MeshDelta): void;
}

/**
 * Begins to take what proxies count. Where a Prometheus has the calls they are not remembered here.
 * @param inboundPort of the sidecars' inbound listeners
 */
export function keepRecords(
  snapshot: () => MeshSnapshot,
  { dashboard, prometheus }: Pick<MeshConfig, 'dashboard' | 'prometheus'> = DEFAULTS,
  inboundPort: number = INBOUND_PORT,
): TrafficRecords {
  const nodes = new MeshNodes(snapshot());
  const slices = { keepMs: dashboard.historyMinutes * 60_000 };
  const history = new TrafficHistory(nodes, { slices, remembersCalls: prometheus === undefined });
  const [open, limits] = [new OpenTable(inboundPort), new PoolLimitIndex(snapshot())];
  const ledger = new TrafficLedger({
    history,
    open,
    workload: (uid) => snapshot().workloads.get(uid),
    stableRevision: (service) => snapshot().services.get(service)?.split?.stable,
    isPolicyOf: (uid, policy) => hasPolicy(snapshot().workloads.get(uid), policy),
  });
  const update = (next: MeshSnapshot, delta: MeshDelta): void => {
    nodes.update(next, delta);
    limits.update(next, delta);
  };
  return { ledger, history, nodes, usage: new UsageHistory(slices), open, limits, update };
}
