import type { Condition } from '../api/condition.ts';
import type { KubeApi } from './kube-api.ts';
import type { ResourceKind } from './resource-kind.ts';

/** The object whose status is written. With a uid, a namesake that was made anew is refused (409). */
export interface StatusTarget {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
}

/**
 * Writes an object's status by server-side apply to the `status` subresource; owns exactly the fields given.
 * @throws {KubeError} 404 when the object is gone
 */
export async function applyStatus(
  api: Pick<KubeApi, 'apply'>,
  kind: ResourceKind,
  target: StatusTarget,
  status: object,
  fieldManager: string,
): Promise<void> {
  const { name, namespace, uid } = target;
  const metadata = { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) };
  await api.apply(kind, { metadata, status } as { metadata: typeof metadata }, { fieldManager, subresource: 'status' });
}

/**
 * Sets conditions by type in a list; `lastTransitionTime` moves only when a condition's status changes.
 * @param now RFC 3339
 */
export function mergeConditions(
  present: readonly Condition[],
  wanted: readonly Omit<Condition, 'lastTransitionTime'>[],
  now: string,
): Condition[] {
  const result = new Map(present.map((condition) => [condition.type, condition]));
  for (const condition of wanted) {
    const before = result.get(condition.type);
    const kept = before?.status === condition.status ? before.lastTransitionTime : now;
    result.set(condition.type, { ...condition, lastTransitionTime: kept });
  }
  return [...result.values()];
}
