import type { ProxyReport } from '../ads/ack-report.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { PolicyCarriers, ResourceName } from '../xds/policy-carriers.ts';

/** Where a policy stands for proxies of one kin, and what has been found of versions of these resources. */
interface Standing {
  readonly resources: readonly ResourceName[];
  /** By place among the resources, and by version. */
  readonly current: readonly Map<string | undefined, boolean>[];
}

/**
 * Asks many proxies whether they have acknowledged a policy as it is now in all resources in which it stands for them. Thousands are asked for each weight
 * of each Canary, and most are alike: what does not depend on the single proxy is looked up once.
 * @param policy one that stands in listeners and routes alone
 * @returns asks one; to be thrown away before the mesh changes
 */
export function askForAll(carriers: PolicyCarriers, policy: ObjectKey): (report: ProxyReport) => boolean {
  const known = new Map<string, Standing>();
  const standingOf = ({ identity }: ProxyReport): Standing => {
    const kin = carriers.kinOf(identity);
    const before = known.get(kin);
    if (before !== undefined) return before;
    const resources = carriers.carriersOf(identity, policy);
    const standing = { resources, current: resources.map(() => new Map<string | undefined, boolean>()) };
    known.set(kin, standing);
    return standing;
  };
  return (report) => {
    const { resources, current } = standingOf(report);
    return resources.every((resource, place) => {
      const version = report.acknowledged(resource.typeUrl, resource.name);
      const found = current[place]?.get(version);
      if (found !== undefined) return found;
      const isCurrent = carriers.isCurrent(report.identity, policy, resource, version);
      current[place]?.set(version, isCurrent);
      return isCurrent;
    });
  };
}
