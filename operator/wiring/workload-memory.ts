import { type NameUse, WorkloadMemory } from '../ads/workload-memory.ts';
import type { Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { ResourceSource } from '../xds/resource.ts';

/**
 * Remembers what the workloads of the mesh use of what they are sent on demand.
 * @param workloads those of the newest snapshot, by UID
 * @param now ms since the epoch
 */
export function workloadMemory(
  workloads: (uid: WorkloadUid) => Workload | undefined,
  now: () => number,
): WorkloadMemory {
  return new WorkloadMemory({ workloadOf: ({ uid }) => workloadKey(workloads(uid)), now });
}

/**
 * What of a workload outlives its pods: its namespace and what it belongs to, such as a Deployment, whatever the revision. A pod by itself has its own name.
 * @returns undefined when its sidecar is sent everything at once, so that there is nothing to remember
 */
export function workloadKey(workload: Workload | undefined): string | undefined {
  return workload?.onDemand === true ? `${workload.namespace}/${workload.owner}` : undefined;
}

/** Takes in what proxies of other replicas use: of what these have without having asked, only what not everybody is sent. */
export function remoteUse(memory: NameUse, resources: Pick<ResourceSource, 'inWildcard'>): NameUse {
  return {
    remembers: (proxy) => memory.remembers(proxy),
    asked: (proxy, typeUrl, names) => memory.asked(proxy, typeUrl, names),
    held: (proxy, typeUrl, names) => {
      const some = names.filter((name) => resources.inWildcard?.(proxy, typeUrl, name) === false);
      memory.held(proxy, typeUrl, some);
    },
  };
}
