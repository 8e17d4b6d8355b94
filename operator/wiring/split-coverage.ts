import { CANARY_KIND } from '../../api/canary.ts';
import type { AckReport, ProxyReport } from '../ads/ack-report.ts';
import type { Coverage } from '../canary/observation.ts';
import type { MeshPort, SplitQuery } from '../canary/ports.ts';
import { objectKey } from '../mesh/object-ref.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { MeshSnapshot, RevisionSplit, Workload } from '../mesh/snapshot.ts';
import type { PolicyCarriers } from '../xds/policy-carriers.ts';
import { hasAcknowledged } from './policy-enforcement.ts';

/**
 * Tells how far a split has got: of the connected sidecars, those that have acknowledged it in every resource in which it stands for them
 * (routes of other hosts lead to its Services, too), once the newest snapshot shows the split. Sidecars of the target itself do not
 * count as callers.
 */
export class SplitCoverage implements MeshPort {
  readonly #snapshot: () => MeshSnapshot;
  readonly #acks: AckReport;
  readonly #carriers: PolicyCarriers;

  constructor(snapshot: () => MeshSnapshot, acks: AckReport, carriers: PolicyCarriers) {
    this.#snapshot = snapshot;
    this.#acks = acks;
    this.#carriers = carriers;
  }

  coverage(query: SplitQuery): Coverage {
    const snapshot = this.#snapshot();
    const callers = [...this.#acks.proxies()].filter((report) => {
      const workload = snapshot.workloads.get(report.identity.uid);
      return report.connected && workload !== undefined && !isOfTarget(workload, query);
    });
    if (!isShown(snapshot, query)) return { callers: callers.length, acknowledged: 0 };
    const canary = objectKey({ kind: CANARY_KIND, namespace: query.namespace, name: query.canary });
    const has = (report: ProxyReport): boolean =>
      hasAcknowledged(report, this.#carriers, canary, this.#carriers.carriersOf(report.identity, canary));
    return { callers: callers.length, acknowledged: callers.filter(has).length };
  }

  carriesHttp(hostnames: readonly string[]): boolean | undefined {
    const { services } = this.#snapshot();
    const ports = hostnames.flatMap((hostname) => services.get(hostname)?.ports ?? []);
    return ports.length === 0 ? undefined : ports.some(({ protocol }) => isHttp(protocol));
  }
}

function isOfTarget(workload: Workload, { namespace, stable, next }: SplitQuery): boolean {
  return workload.namespace === namespace && workload.revision !== '' && [stable, next].includes(workload.revision);
}

/**
 * Whether the snapshot shows exactly this split. A Service has one split, so one that an older Canary splits (it is over several
 * Deployments) carries nothing of this one, and is passed over.
 */
function isShown(snapshot: MeshSnapshot, query: SplitQuery): boolean {
  let carriers = 0;
  for (const hostname of query.services) {
    const split = snapshot.services.get(hostname)?.split;
    if (split === undefined) return false;
    if (split.canary.name !== query.canary || split.canary.namespace !== query.namespace) continue;
    if (split.stable !== query.stable) return false;
    if (!hasSide(split, query)) return false;
    carriers++;
  }
  return carriers > 0;
}

/** A split without endpoints of the new revision sends it nothing, whatever its weight. */
function hasSide(
  { next, weight, asked, terms }: RevisionSplit,
  { next: wanted, side, terms: key }: SplitQuery,
): boolean {
  if (next !== wanted) return side.weight === 0 && !side.matched && side.mirror === 0;
  if ((asked ?? weight) !== side.weight || (terms?.mirror ?? 0) !== side.mirror) return false;
  if ((terms?.matches.length ?? 0) > 0 !== side.matched) return false;
  // By weight alone there are none, and cookies and hashes mean nothing without one.
  const isTermed = side.matched || side.mirror > 0 || (side.weight > 0 && key !== '');
  return isTermed ? terms?.key === key : terms === undefined;
}
