import type { PoolLimits } from '../dashboard/pool-totals.ts';
import { DestinationIndex, effectivePolicy } from '../mesh/destination-selection.ts';
import type { InboundPort, MeshDelta, MeshSnapshot, ServicePort, Workload } from '../mesh/snapshot.ts';
import { poolLimitsOf } from '../xds/cluster-connection-pool.ts';
import { ofClusterHost, readInboundCluster, readOutboundCluster } from '../xds/names.ts';

type Mesh = Pick<MeshSnapshot, 'services' | 'destinationPolicies' | 'settings'>;

/** What a pool of connections leads to, and its limits. */
export interface LimitedPool {
  readonly hostname: string;
  readonly port: ServicePort;
  readonly limits: PoolLimits;
}

/**
 * The pool of a workload's sidecar towards its application that a cluster is, with the limits of the Sidecar in force for it.
 * @param cluster `inbound|PORT||`
 * @returns undefined for a port that is not there (any more)
 */
export function ownPool(
  { inbound }: Pick<Workload, 'inbound'>,
  cluster: string,
): { readonly port: InboundPort; readonly limits: PoolLimits } | undefined {
  const number = readInboundCluster(cluster);
  const port = inbound.find((one) => one.port === number);
  if (port === undefined) return undefined;
  const { connectionPool } = port;
  return { port, limits: poolLimitsOf(connectionPool === undefined ? {} : { connectionPool }) };
}

/** The limits of every sidecar's pools, by the DestinationRules that hold for it; follows the mesh change by change. */
export class PoolLimitIndex {
  readonly #policies = new DestinationIndex();
  #mesh: Mesh;

  constructor(mesh: Mesh) {
    this.#mesh = mesh;
    for (const [key, policy] of mesh.destinationPolicies) this.#policies.set(key, policy);
  }

  /** Takes in what changed. */
  update(mesh: Mesh, { destinationPolicies }: Pick<MeshDelta, 'destinationPolicies'>): void {
    this.#mesh = mesh;
    for (const key of destinationPolicies) this.#policies.set(key, mesh.destinationPolicies.get(key));
  }

  /**
   * The pool that a cluster of a workload's sidecar is.
   * @param cluster `outbound|PORT|SUBSET|HOST[|REVISION]`
   * @returns undefined for a service or port that is not there (any more)
   */
  pool({ namespace, labels }: Pick<Workload, 'namespace' | 'labels'>, cluster: string): LimitedPool | undefined {
    const read = readOutboundCluster(cluster);
    if (read === undefined) return undefined;
    const { services, settings } = this.#mesh;
    const service = ofClusterHost(read.hostname, (hostname) => services.get(hostname));
    const port = service?.ports.find((one) => one.port === read.port);
    if (service === undefined || port === undefined) return undefined;
    const selected = this.#policies.select({ namespace, labels }, service, settings.rootNamespace);
    const policy = effectivePolicy(selected, read.subset === '' ? undefined : read.subset, read.port);
    return { hostname: service.hostname, port, limits: poolLimitsOf(policy) };
  }
}
