import type { Condition } from '../../api/condition.ts';
import { CUSTOM_RESOURCES } from '../../api/registry.ts';
import { TRUST_ROTATION_KIND } from '../../api/trust-rotation.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { type Check, type Finding, ok, warning } from './check.ts';

/** An object with conditions, of whatever kind. */
type ConditionedObject = KubeObject & {
  readonly status?: { readonly conditions?: readonly Partial<Condition>[] };
};

/** What takes an object out of force, or part of it. */
const BAD_WHEN_FALSE = ['Accepted', 'Programmed', 'Reconciled', 'TargetReady', 'MetricsAvailable'];
const BAD_WHEN_TRUE = ['Conflicted', 'Degraded'];
const SHOWN = 20;

/** Conditions that say that an object is not in force as it is written. */
function badConditions({ status }: ConditionedObject): Partial<Condition>[] {
  return (status?.conditions ?? []).filter(
    ({ type = '', status: holds }) =>
      (holds === 'False' && BAD_WHEN_FALSE.includes(type)) || (holds === 'True' && BAD_WHEN_TRUE.includes(type)),
  );
}

export const conditions: Check = {
  category: 'Policies',
  title: 'conditions of objects',
  async run({ api, namespace }) {
    const kinds = CUSTOM_RESOURCES.filter(({ status, kind }) => status && kind !== TRUST_ROTATION_KIND);
    const lists = await Promise.all(
      kinds.map(({ group, kind, plural, versions }) => {
        const resource = { group, kind, plural, version: versions[0] ?? 'v1', namespaced: true };
        // A definition that is not there is told of elsewhere.
        return api.list<ConditionedObject>(resource, { namespace }).catch((error: unknown) => {
          if (isNotFound(error)) return { items: [] };
          throw error;
        });
      }),
    );
    const objects = lists.flatMap(({ items }) => items);
    const bad = objects.flatMap((object) => badConditions(object).map((condition) => describe(object, condition)));
    if (bad.length === 0) return [ok(`${objects.length} objects are in force as they are written`)];
    const more =
      bad.length > SHOWN
        ? [warning(`${bad.length - SHOWN} more are not in force`, 'look at them one by one: heddle check -n NAMESPACE')]
        : [];
    return [...bad.slice(0, SHOWN), ...more];
  },
};

function describe({ kind = '', metadata }: ConditionedObject, condition: Partial<Condition>): Finding {
  const { type, status, reason, message } = condition;
  const { namespace, name } = metadata ?? {};
  return warning(
    `${kind} ${namespace}/${name}: ${type}=${status} (${reason}): ${message}`,
    `kubectl describe ${kind.toLowerCase()} -n ${namespace} ${name}`,
  );
}
