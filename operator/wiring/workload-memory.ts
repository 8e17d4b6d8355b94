import { type NameUse, WorkloadMemory } from '../ads/workload-memory.ts';
import type { Workload, WorkloadUid } from '../mesh/snapshot.ts';
import { type ResourceSource, VIRTUAL_HOST_TYPE } from '../xds/resource.ts';

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
    asked: (proxy, typeUrl, names) => {
      const isHosts = typeUrl === VIRTUAL_HOST_TYPE;
      // Of unknown hosts those that asked have one of their own.
      const known = names.filter((name) => !isHosts || resources.inWildcard?.(proxy, typeUrl, name) === true);
      memory.asked(proxy, typeUrl, known);
    },
    held: (proxy, typeUrl, names) => {
      // One that asked for too much has all hosts.
      if (typeUrl === VIRTUAL_HOST_TYPE) return;
      const some = names.filter((name) => resources.inWildcard?.(proxy, typeUrl, name) === false);
      memory.held(proxy, typeUrl, some);
    },
  };
}
