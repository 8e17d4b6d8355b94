import type { Saturation } from '../../api/view/graph-view.ts';
import type { OwnPoolReading, PoolReading } from '../dashboard/pool-totals.ts';
import { isDeclaredHttp } from '../mesh/protocol.ts';
import type { WorkloadUid } from '../mesh/snapshot.ts';
import { ownPool } from './pool-limits.ts';
import type { TrafficRecords } from './traffic-records.ts';

/** A proxy that did not report for so long, in ms, tells nothing of now: three flushes. */
const SILENT_MS = 15_000;

type Records = Pick<TrafficRecords, 'nodes' | 'limits' | 'open'> & {
  readonly ledger: Pick<TrafficRecords['ledger'], 'lastReport'>;
};

/** What each proxy that reports has open towards others, and of what is limited towards its application. @param now ms since the epoch */
export function* poolReadings(records: Records, now: number): Generator<PoolReading | OwnPoolReading> {
  for (const { id, pods } of records.nodes.all()) {
    for (const [uid, workload] of pods) {
      for (const [cluster, open] of openAt(records, uid, now)?.pools(uid) ?? []) {
        const own = ownPool(workload, cluster);
        if (own !== undefined) {
          // How much there is of what has no limit the node's connections and requests tell already.
          if (Object.keys(own.limits).length > 0) yield { application: id, open, limits: own.limits };
          continue;
        }
        const pool = records.limits.pool(workload, cluster);
        if (pool === undefined) continue;
        const { hostname, port, limits } = pool;
        const destination = records.nodes.ofService(hostname, '', '');
        yield { source: id, destination, transports: transportsOf(port), open, limits };
      }
    }
  }
}

/**
 * Connections and requests at the inbound sides of pods.
 * @param uids of the pods
 * @returns nothing where what one of them has open is not known
 */
export function inboundWork(
  records: Records,
  uids: readonly WorkloadUid[],
  now: number,
): Pick<Saturation, 'connections' | 'active'> {
  let [connections, active] = [0, 0];
  for (const uid of uids) {
    const open = openAt(records, uid, now)?.inbound(uid);
    if (open === undefined) return {};
    connections += open.connections;
    active += open.active;
  }
  return uids.length === 0 ? {} : { connections, active };
}

/** Undefined: the proxy is silent, and what was open when it last spoke need not be so now. */
function openAt({ ledger, open }: Records, uid: WorkloadUid, now: number): Records['open'] | undefined {
  const reported = ledger.lastReport(uid);
  return reported === undefined || now - reported > SILENT_MS ? undefined : open;
}

function transportsOf({ protocol }: { readonly protocol: Parameters<typeof isDeclaredHttp>[0] }) {
  if (isDeclaredHttp(protocol)) return ['http'] as const;
  return protocol === 'auto' ? (['http', 'tcp'] as const) : (['tcp'] as const);
}
