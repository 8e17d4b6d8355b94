import type { Workload, WorkloadUid } from '../mesh/snapshot.ts';
import { clusterOf } from './external-authorization.ts';
import { translateInboundListener } from './inbound-listener.ts';
import {
  type InboundSettings,
  type InboundShape,
  inboundShape,
  inboundShapeKey,
  isDualStack,
} from './inbound-shape.ts';
import { translateInboundCluster } from './local-clusters.ts';
import { translateMetricsPage } from './metrics-page.ts';
import type { XdsResource } from './resource.ts';

/** The inbound side of all workloads of one shape, encoded when first asked for. */
export class InboundResources {
  private readonly shape: InboundShape;
  private builtListener: XdsResource | undefined;
  private builtClusters: ReadonlyMap<string, XdsResource> | undefined;
  /** Names of the clusters, of all proxies, that this side needs. */
  readonly authorizers: readonly string[];
  /** How many workloads have this shape. */
  users = 0;

  constructor(shape: InboundShape) {
    this.shape = shape;
    this.authorizers = authorizersOf(shape);
  }

  get listener(): XdsResource {
    this.builtListener ??= translateInboundListener(this.shape);
    return this.builtListener;
  }

  /** By name. */
  get clusters(): ReadonlyMap<string, XdsResource> {
    const { ports, metricsPage } = this.shape;
    this.builtClusters ??= new Map(
      [
        ...ports.filter((port) => port.declared).map(translateInboundCluster),
        ...(metricsPage === undefined ? [] : [translateMetricsPage(metricsPage)]),
      ].map((cluster) => [cluster.name, cluster]),
    );
    return this.builtClusters;
  }
}

/** Clusters of whom policies of a shape ask or tell, each once. */
function authorizersOf({ authorization, telemetry }: InboundShape): string[] {
  const names = authorization.flatMap(({ authorizer, rules }) =>
    authorizer === undefined || rules.dryRun ? [] : [clusterOf(authorizer)],
  );
  return [...new Set([...names, ...(telemetry?.clusters ?? [])])];
}

/** What xds keeps of a proxy. */
export interface ProxyView {
  readonly key: string;
  readonly inbound: InboundResources;
  readonly dualStack: boolean;
}

/** The inbound sides of all proxies: workloads of equal shape share. */
export class InboundTable {
  private readonly shapes = new Map<string, InboundResources>();
  private readonly proxies = new Map<WorkloadUid, ProxyView>();

  get(uid: WorkloadUid): ProxyView | undefined {
    return this.proxies.get(uid);
  }

  uids(): IterableIterator<WorkloadUid> {
    return this.proxies.keys();
  }

  /** Takes the newest state of a workload; undefined when it is gone. Gives the view before, and whether anything differs now. */
  set(
    uid: WorkloadUid,
    workload: Workload | undefined,
    settings: InboundSettings,
  ): { before: ProxyView | undefined; changed: boolean } {
    const before = this.proxies.get(uid);
    const shape = workload === undefined ? undefined : inboundShape(workload, settings);
    const key = shape === undefined ? undefined : inboundShapeKey(shape);
    if (key === before?.key) return { before, changed: false };
    if (workload !== undefined && shape !== undefined && key !== undefined) {
      const inbound = this.shapes.get(key) ?? new InboundResources(shape);
      inbound.users += 1;
      this.shapes.set(key, inbound);
      this.proxies.set(uid, { key, inbound, dualStack: isDualStack(workload) });
    } else {
      this.proxies.delete(uid);
    }
    if (before !== undefined) this.release(before);
    return { before, changed: true };
  }

  private release(view: ProxyView): void {
    view.inbound.users -= 1;
    if (view.inbound.users === 0) this.shapes.delete(view.key);
  }
}
