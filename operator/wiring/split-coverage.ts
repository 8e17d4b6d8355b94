import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { Coverage } from '../canary/observation.ts';
import type { MeshPort, SplitQuery } from '../canary/ports.ts';
import type { MeshSnapshot, ServicePort, Workload } from '../mesh/snapshot.ts';
import { portListener, routeConfiguration } from '../xds/names.ts';
import { LISTENER_TYPE, type ProxyIdentity, ROUTE_TYPE, type XdsResource } from '../xds/resource.ts';

/** What is looked up of the cache. */
interface ResourceLookup {
  lookup(proxy: ProxyIdentity, typeUrl: string, name: string): XdsResource | undefined;
}

/**
 * Tells how far a split has got: of the connected sidecars, those that have acknowledged the newest routes of the split's
 * Services, once the newest snapshot shows the split. Sidecars of the target itself do not count as callers.
 */
export class SplitCoverage implements MeshPort {
  readonly #snapshot: () => MeshSnapshot;
  readonly #acks: AckReport;
  readonly #resources: ResourceLookup;

  constructor(snapshot: () => MeshSnapshot, acks: AckReport, resources: ResourceLookup) {
    this.#snapshot = snapshot;
    this.#acks = acks;
    this.#resources = resources;
  }

  coverage(query: SplitQuery): Coverage {
    const snapshot = this.#snapshot();
    const callers = [...this.#acks.proxies()].filter((report) => {
      const workload = snapshot.workloads.get(report.identity.uid);
      return report.connected && workload !== undefined && !isOfTarget(workload, query);
    });
    const ports = portsOf(snapshot, query);
    if (ports === undefined) return { callers: callers.length, acknowledged: 0 };
    return { callers: callers.length, acknowledged: callers.filter((report) => this.#has(report, ports)).length };
  }

  #has(report: ProxyReport, ports: readonly ServicePort[]): boolean {
    const newest = (typeUrl: string, name: string): boolean => {
      const resource = this.#resources.lookup(report.identity, typeUrl, name);
      return resource === undefined || report.acknowledged(typeUrl, name) === resource.version;
    };
    return ports.every(
      ({ port, protocol }) =>
        newest(LISTENER_TYPE, portListener(port)) &&
        (protocol === 'tcp' || newest(ROUTE_TYPE, routeConfiguration(port))),
    );
  }
}

function isOfTarget(workload: Workload, { namespace, stable, next }: SplitQuery): boolean {
  return workload.namespace === namespace && workload.revision !== '' && [stable, next].includes(workload.revision);
}

/**
 * The ports whose routes carry the split; undefined while the snapshot does not show exactly this split. A Service has one
 * split, so one that an older Canary splits (it is over several Deployments) carries nothing of this one, and is passed over.
 */
function portsOf(snapshot: MeshSnapshot, query: SplitQuery): ServicePort[] | undefined {
  const ports: ServicePort[] = [];
  let carriers = 0;
  for (const hostname of query.services) {
    const service = snapshot.services.get(hostname);
    const split = service?.split;
    if (service === undefined || split === undefined) return undefined;
    if (split.canary.name !== query.canary || split.canary.namespace !== query.namespace) continue;
    if (split.stable !== query.stable) return undefined;
    // A split without endpoints of the new revision sends it nothing, whatever its weight.
    if ((split.next === query.next ? split.weight : 0) !== query.weight) return undefined;
    ports.push(...service.ports);
    carriers++;
  }
  return carriers > 0 ? ports : undefined;
}
