import type { ProxyState, ProxyView } from '../../api/view/control-plane-view.ts';
import type { ProxyReport } from '../ads/ack-report.ts';
import type { TypeSync } from '../ads/sync-state.ts';
import type { Workload } from '../mesh/snapshot.ts';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  ROUTE_TYPE,
  SECRET_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../xds/resource.ts';
import { canonicalName } from './mesh-nodes.ts';

/** What people call the types. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  [LISTENER_TYPE]: 'listeners',
  [CLUSTER_TYPE]: 'clusters',
  [ENDPOINT_TYPE]: 'endpoints',
  [ROUTE_TYPE]: 'routes',
  [VIRTUAL_HOST_TYPE]: 'virtualHosts',
  [SECRET_TYPE]: 'secrets',
};

/** Texts of Envoy's are cut: one may name a whole configuration. */
const MAX_MESSAGE = 1000;
const MAX_REJECTIONS = 20;
/** What is waited for longer is not just on its way. */
const STALE_MS = 10_000;

/** What a replica knows of a proxy beyond its report. */
export interface ProxyFacts {
  /** Pod of the operator that has its stream. */
  readonly replica: string;
  /** End of its certificate in ms since the epoch; undefined where that is not known. */
  readonly certificateExpiresAt: number | undefined;
}

/** A proxy whose stream is at no replica, as far as is known. @param state `disconnected`, or `unknown` where a replica may know more */
export function absentProxy(workload: Workload, state: ProxyState, lastReport: number | undefined): ProxyView {
  const { namespace, name, uid, node, spiffeId, onDemand } = workload;
  return {
    namespace,
    pod: name,
    uid,
    workload: canonicalName(workload),
    node,
    state,
    ...(lastReport === undefined ? {} : { lastReport }),
    types: {},
    rejections: [],
    identity: spiffeId,
    onDemand,
  };
}

/** A proxy that has its stream here. */
export function connectedProxy(
  workload: Workload,
  report: ProxyReport,
  { replica, certificateExpiresAt }: ProxyFacts,
  lastReport: number | undefined,
): ProxyView {
  const syncs = report.sync?.() ?? [];
  const rejections = report.rejections();
  return {
    ...absentProxy(workload, stateOf(syncs, rejections.length), lastReport),
    replica,
    connectedSince: report.connectedAt,
    types: Object.fromEntries(syncs.map(({ typeUrl, held, stale }) => [typeName(typeUrl), { held, stale }])),
    rejections: rejections.slice(0, MAX_REJECTIONS).map(({ typeUrl, name, message }) => ({
      type: typeName(typeUrl),
      name,
      message: message.slice(0, MAX_MESSAGE),
    })),
    ...(certificateExpiresAt === undefined
      ? {}
      : { certificateNotAfter: new Date(certificateExpiresAt).toISOString() }),
  };
}

function stateOf(syncs: readonly TypeSync[], rejections: number): ProxyState {
  if (rejections > 0) return 'rejected';
  const behind = syncs.filter(({ stale }) => stale > 0);
  if (behind.length === 0) return 'synced';
  return behind.some(({ waitedMs }) => waitedMs > STALE_MS) ? 'stale' : 'syncing';
}

function typeName(typeUrl: string): string {
  return TYPE_NAMES[typeUrl] ?? typeUrl.slice(typeUrl.lastIndexOf('.') + 1);
}
