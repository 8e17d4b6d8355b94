import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { CANARY_GATE } from '../../api/pod-names.ts';
import { CANARY, POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { Pod, Target } from './objects.ts';
import { FIELD_MANAGER } from './targets/borrowed-fields.ts';

type Api = Pick<KubeApi, 'apply' | 'patch' | 'delete'>;

/** Pods whose gates are opened at the same time. */
const PARALLEL = 8;

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

/** Applies what `borrowing` gave. Never makes a target that is gone. */
export async function applyBorrowing(api: Api, kind: ResourceKind, target: Target, body: object): Promise<void> {
  const { metadata, ...rest } = body as Target;
  const whole = { ...rest, metadata: { ...metadata, ...(target.metadata?.uid ? { uid: target.metadata.uid } : {}) } };
  try {
    await api.apply(kind, whole, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
