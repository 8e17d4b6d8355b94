import { Set as PersistentSet } from 'immutable';
import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { DESTINATION_RULE_KIND } from '../../api/destination-rule.ts';
import { undiscoveredMessage } from '../../api/discovery.ts';
import { PEER_AUTHENTICATION_KIND } from '../../api/peer-authentication.ts';
import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import { REQUEST_AUTHENTICATION_KIND } from '../../api/request-authentication.ts';
import { SERVICE_ENTRY_KIND } from '../../api/service-entry.ts';
import { SIDECAR_KIND } from '../../api/sidecar.ts';
import { TELEMETRY_KIND } from '../../api/telemetry.ts';
import { VIRTUAL_SERVICE_KIND } from '../../api/virtual-service.ts';
import { WORKLOAD_ENTRY_KIND } from '../../api/workload-entry.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { MeshChange, MeshKind } from './mesh-object.ts';
import { isOurNamespace } from './namespace.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PolicyView } from './snapshot.ts';

/** What is kept of a policy in a namespace that is not discovered: all that its status needs. */
export interface UndiscoveredPolicy {
  readonly ref: ObjectRef;
  readonly generation: number;
}

/** Kinds whose objects have a status that says whether they are in force. Canaries have one of their own, see `operator/canary`. */
const JUDGED_KINDS: ReadonlySet<MeshKind> = new Set<MeshKind>([
  AUTHORIZATION_POLICY_KIND,
  PEER_AUTHENTICATION_KIND,
  REQUEST_AUTHENTICATION_KIND,
  RATE_LIMIT_POLICY_KIND,
  VIRTUAL_SERVICE_KIND,
  DESTINATION_RULE_KIND,
  SERVICE_ENTRY_KIND,
  WORKLOAD_ENTRY_KIND,
  SIDECAR_KIND,
  TELEMETRY_KIND,
]);

/** Reads what is kept of a change's object where it is not discovered. */
export function readUndiscovered({ kind, object, undiscovered }: MeshChange): UndiscoveredPolicy | undefined {
  if (undiscovered !== true || object === undefined || !JUDGED_KINDS.has(kind)) return undefined;
  const { namespace = '', name = '', generation = 0 } = object.metadata ?? {};
  return { ref: { kind, namespace, name }, generation };
}

/** Removes the views of policies that are gone, or discovered by now; to be called before those of the latter are drafted. */
export function forgetUndiscovered({ tables }: DraftContext, dirty: DirtySet, { policies }: Drafts): void {
  for (const key of dirty.undiscovered) if (tables.undiscovered.get(key) === undefined) policies.put(key, undefined);
}

/** Drafts the views of policies that are not discovered; to be called last, for until then their views go with all else of them. */
export function draftUndiscovered({ settings, tables }: DraftContext, dirty: DirtySet, { policies }: Drafts): void {
  // Whoever refers to one has it judged again, and finds nothing of it in the mesh.
  for (const key of new Set([...dirty.undiscovered, ...policies.changed])) {
    const policy = tables.undiscovered.get(key);
    if (policy === undefined) continue;
    const { namespace } = policy.ref;
    // Pods that run our sidecar say nothing here: who is not discovered is not asked.
    const judged = isOurNamespace(settings, namespace, tables.namespaces.get(namespace), false);
    policies.put(key, judged ? viewOf(policy) : undefined);
  }
}

function viewOf({ ref, generation }: UndiscoveredPolicy): PolicyView {
  const message = `It is not in force: ${undiscoveredMessage(ref.namespace)}.`;
  return {
    object: ref,
    generation,
    reach: { kind: 'workloads', workloads: PersistentSet() },
    selected: 0,
    problems: [{ object: ref, condition: 'Accepted', reason: 'NotDiscovered', message }],
    notes: [],
  };
}
