import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { CANARY_GATE } from '../../api/pod-names.ts';
import { CANARY, POD, REPLICA_SET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { Pod, ReplicaSet, Target } from './objects.ts';
import { type BorrowableFields, borrowing, FIELD_MANAGER, type WantedFields } from './targets/borrowed-fields.ts';
import { handingOver, wantedAsTheyAre } from './targets/handed-over.ts';

type Api = Pick<KubeApi, 'get' | 'apply' | 'patch' | 'delete'>;

/** Pods whose gates are opened at the same time. */
const PARALLEL = 8;

/** How often a target is read and tried anew when somebody changes it meanwhile; after that it is left to the next look. */
const TRIES = 5;

/**
 * Writes a Canary's status by server-side apply, if the Canary is still the one that was looked at.
 * @returns the Canary as it is now
 * @throws {KubeError} 409 when somebody changed it meanwhile, 404 when it is gone
 */
export async function writeStatus(api: Api, canary: Canary, status: CanaryStatus): Promise<Canary> {
  const { name, namespace, uid, resourceVersion } = canary.metadata;
  const metadata = { name, namespace, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  const body = { apiVersion: canary.apiVersion, kind: canary.kind, metadata, status } as Canary;
  const written = await api.apply<Canary>(CANARY, body, { fieldManager: FIELD_MANAGER, subresource: 'status' });
  const foreign = Object.keys(written.status ?? {}).filter((field) => !(field in status));
  if (foreign.length === 0) return written;
  // Fields that another manager wrote outlive our letting go of them, and would mislead the next step.
  const removal = { status: Object.fromEntries(foreign.map((field) => [field, null])) };
  return api.patch<Canary>(CANARY, { name, namespace }, 'merge', removal, {
    fieldManager: FIELD_MANAGER,
    subresource: 'status',
  });
}

/** Opens the readiness gates of pods; those that are gone meanwhile are passed over. */
export async function openGates(api: Api, pods: readonly Pod[], now: string): Promise<void> {
  const condition = {
    type: CANARY_GATE,
    status: 'True',
    reason: 'Released',
    message: "The pod's revision is released.",
    lastTransitionTime: now,
  };
  for (let start = 0; start < pods.length; start += PARALLEL) {
    await Promise.all(pods.slice(start, start + PARALLEL).map((pod) => openGate(api, pod, condition)));
  }
}

async function openGate(api: Api, { metadata }: Pod, condition: object): Promise<void> {
  const name = { name: metadata?.name ?? '', namespace: metadata?.namespace };
  // The uid makes sure that a namesake made since (a StatefulSet's pod) is not the one that gets it.
  const body = { metadata: { uid: metadata?.uid }, status: { conditions: [condition] } };
  try {
    await api.patch(POD, name, 'strategic', body, { fieldManager: FIELD_MANAGER, subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/** Deletes pods that a controller waits for in vain; those that are gone meanwhile, or are others of the same name, are passed over. */
export async function deletePods(api: Api, pods: readonly Pod[]): Promise<void> {
  for (const { metadata: { name = '', namespace, uid } = {} } of pods) {
    try {
      await api.delete(POD, { name, namespace }, uid ? { preconditions: { uid } } : {});
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
}

/** Scales a ReplicaSet to 0; one that is gone meanwhile, or another of the same name, is passed over. */
export async function scaleDown(api: Api, { metadata: { name = '', namespace, uid } = {} }: ReplicaSet): Promise<void> {
  const body = { ...(uid ? { metadata: { uid } } : {}), spec: { replicas: 0 } };
  try {
    await api.patch(REPLICA_SET, { name, namespace }, 'merge', body, {
      fieldManager: FIELD_MANAGER,
      subresource: 'scale',
    });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

/**
 * Borrows fields of a target, or gives them back (`borrowing`). Never makes a target that is gone, and never takes a field by what a store knew of it: what
 * somebody has set meanwhile is read and left to them.
 * @param target as a store has it, with the managed fields of applies alone
 */
export async function applyBorrowing(
  api: Api,
  kind: ResourceKind,
  borrowable: BorrowableFields,
  target: Target,
  wanted: WantedFields,
): Promise<void> {
  const { name = '', namespace, uid } = target.metadata ?? {};
  let seen = target;
  for (let tries = TRIES; tries > 0 && seen.metadata?.uid === uid; tries--) {
    try {
      if (await borrow(api, kind, borrowable, seen, wanted, seen !== target)) return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
    }
    try {
      seen = await api.get<Target>(kind, { name, namespace });
    } catch (error) {
      if (isNotFound(error)) return;
      throw error;
    }
  }
}

/**
 * One try.
 * @param isWhole whether all managed fields are known
 * @returns false when they must be
 * @throws {KubeError} 409 when the target is not as it was seen any more
 */
async function borrow(
  api: Api,
  kind: ResourceKind,
  borrowable: BorrowableFields,
  seen: Target,
  wanted: WantedFields,
  isWhole: boolean,
): Promise<boolean> {
  const body = borrowing(seen, wanted, borrowable);
  if (!body) return true;
  const paths = wantedAsTheyAre(seen, body, borrowable);
  if (paths.length > 0 && !isWhole) return false;
  const { uid, resourceVersion } = (await handOver(api, kind, seen, paths)).metadata ?? {};
  const { metadata, ...rest } = body as Target;
  const meant = { ...metadata, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) };
  await api.apply(kind, { ...rest, metadata: meant }, { fieldManager: FIELD_MANAGER });
  return true;
}

/** Makes fields theirs who want them as they are, while they are still ours; gives the target as it is then. */
async function handOver(
  api: Api,
  kind: ResourceKind,
  target: Target,
  paths: readonly (readonly string[])[],
): Promise<Target> {
  const patch = paths.length > 0 ? handingOver(target, paths) : undefined;
  if (!patch) return target;
  const { name = '', namespace } = target.metadata ?? {};
  return api.patch<Target>(kind, { name, namespace }, 'merge', patch, { fieldManager: FIELD_MANAGER });
}
