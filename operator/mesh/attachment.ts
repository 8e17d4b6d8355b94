import { type PolicyAim, targetsOf } from '../../api/policy-aim.ts';
import type { FactTable } from './fact-table.ts';
import { targetPortsOf } from './inbound.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import { type Labels, labelTerms, matchSelector, selectorTerm } from './selector.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** In place of a namespace: all of the mesh. */
export const EVERYWHERE = '*';

/** Of a namespaced object. */
interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
}

/** What a policy of the inbound side says of the pods it is about. */
export interface Attachable {
  readonly key: string;
  readonly ref: ObjectRef;
  /** Namespace of the pods it may be about, or `*`. */
  readonly scope: string;
  readonly selector: Labels;
  /** `namespace/name` of the Services it is about; then it has no selector. */
  readonly targets: readonly string[];
}

/** What of such a policy its metadata say. */
export function readIdentity(
  { rootNamespace }: MeshSettings,
  kind: string,
  metadata: Metadata,
): Pick<Attachable, 'key' | 'ref' | 'scope'> & { readonly createdAt: number; readonly generation: number } {
  const { namespace, name, generation = 0 } = metadata;
  return {
    key: keyOf(metadata),
    ref: { kind, namespace, name },
    scope: namespace === rootNamespace ? EVERYWHERE : namespace,
    createdAt: creationTime(metadata),
    generation,
  };
}

/** What of it its aim says. @param namespace of the policy */
export function attachBy(namespace: string, aim: PolicyAim): Pick<Attachable, 'selector' | 'targets'> {
  return {
    selector: aim.selector?.matchLabels ?? {},
    targets: targetsOf(aim).map(({ name }) => `${namespace}/${name}`),
  };
}

/** Whether a policy speaks for all of its scope. */
export function isBlanket({ selector, targets }: Attachable): boolean {
  return Object.keys(selector).length === 0 && targets.length === 0;
}

/** A policy that is about a pod. */
export interface Attachment<Facts> {
  readonly facts: Facts;
  /** Ports it is about, of a policy with targets; absent: all. */
  readonly ports?: readonly number[];
}

/** Where a policy is to be looked for, by index: of those without a selector their scope, of the others a term of it, of those with targets these. */
export const ATTACHMENT_COLUMNS = {
  namespace: ({ ref }: Attachable) => [ref.namespace],
  blanket: (policy: Attachable) => (isBlanket(policy) ? [policy.scope] : []),
  term: ({ scope, selector }: Attachable) => selectorTerm(scope, selector),
  target: ({ targets }: Attachable) => targets,
};
export type AttachmentIndex = keyof typeof ATTACHMENT_COLUMNS;

/** Policies of a kind that are about a pod, in order of their names: mesh-wide ones, its namespace's, those that select it or a Service of it. */
export function findAttached<Facts extends Attachable>(
  tables: MeshTables,
  policies: Pick<FactTable<Facts, AttachmentIndex>, 'select'>,
  pod: PodFacts,
): Attachment<Facts>[] {
  const found = new Map<string, Attachment<Facts>>();
  for (const scope of [EVERYWHERE, pod.namespace]) {
    for (const facts of policies.select('blanket', scope)) found.set(facts.key, { facts });
    for (const term of labelTerms(scope, pod.labels)) {
      for (const facts of policies.select('term', term)) {
        if (matchSelector(facts.selector, pod.labels)) found.set(facts.key, { facts });
      }
    }
  }
  for (const service of tables.servicesSelecting(pod)) {
    for (const facts of policies.select('target', service.key)) {
      const ports = new Set([...(found.get(facts.key)?.ports ?? []), ...targetPortsOf(pod, service)]);
      found.set(facts.key, { facts, ports: [...ports].sort((a, b) => a - b) });
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, attachment]) => attachment);
}

/** Pods that a policy is about, injected or not; some may come twice. */
export function* podsAbout(tables: MeshTables, { scope, selector, targets }: Attachable): Generator<PodFacts> {
  for (const target of targets) {
    const service = tables.services.get(target);
    if (service !== undefined) yield* tables.podsSelectedBy(service);
  }
  if (targets.length > 0) return;
  const selective = Object.keys(selector).length > 0;
  if (scope !== EVERYWHERE) {
    yield* selective ? tables.podsSelectedBy({ namespace: scope, selector }) : tables.pods.select('namespace', scope);
    return;
  }
  for (const pod of tables.pods.values()) if (!selective || matchSelector(selector, pod.labels)) yield pod;
}

/** What is to be said of targets that are not there. */
export function noteMissingTargets({ services }: MeshTables, { targets }: Attachable): string[] {
  const missing = targets.filter((target) => services.get(target) === undefined);
  if (missing.length === 0) return [];
  return [`spec.targetRefs: there is no Service ${missing.join(', ')}; it is about nothing there.`];
}
