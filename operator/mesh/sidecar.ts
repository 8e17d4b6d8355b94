import { SIDECAR_KIND, type Sidecar } from '../../api/sidecar.ts';
import { judgeSidecar, unsupportedSidecarFields } from '../../api/sidecar-judgement.ts';
import type { IngestionTarget } from './ingestion.ts';
import { byAge, creationTime, keyOf } from './mesh-object.ts';
import { type ObjectRef, objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import { type Labels, labelTerms, matchSelector } from './selector.ts';
import { noteCapture, readEgress, readInbound, readOutboundPolicy, type SidecarInbound } from './sidecar-fields.ts';
import type { SidecarScope } from './sidecar-scope.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec, unsupportedNotes } from './spec-problem.ts';
import type { MeshTables } from './tables.ts';

/** What the mesh reads of a Sidecar. */
export interface SidecarFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** Empty: the whole namespace, or, in the root namespace, the mesh. */
  readonly selector: Labels;
  /** Absent when it is not in force. */
  readonly scope?: SidecarScope;
  readonly inbound: SidecarInbound;
  /** What is wrong with it in itself. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** Reads a Sidecar. One whose spec can't be right is a problem, and nothing else. */
export function readSidecar(settings: MeshSettings, object: Sidecar): SidecarFacts {
  const { metadata } = object;
  const ref: ObjectRef = { kind: SIDECAR_KIND, namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  const facts = { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation };
  const { errors, spec } = judgeSidecar(object.spec);
  if (spec === undefined) {
    return { ...facts, selector: {}, inbound: { listeners: [] }, problems: invalidSpec(ref, errors), notes: [] };
  }
  const selector = spec.workloadSelector?.labels ?? {};
  const meshWide = ref.namespace === settings.rootNamespace && Object.keys(selector).length === 0;
  const outboundPolicy = readOutboundPolicy(spec);
  const scope: SidecarScope = {
    object: ref,
    key: objectKey(ref),
    egress: readEgress(spec, meshWide ? '.' : ref.namespace),
    ...(outboundPolicy === undefined ? {} : { outboundPolicy }),
  };
  const notes = [...unsupportedNotes(unsupportedSidecarFields(spec)), ...noteCapture(spec)];
  return { ...facts, selector, scope, inbound: readInbound(spec), problems: [], notes };
}

/** The pods it may apply to, and, without a selector, the others of its namespace without one. */
export function markSidecar(
  { settings, tables, dirty }: IngestionTarget,
  { key, ref, selector, scope }: SidecarFacts,
): void {
  dirty.sidecars.add(key);
  if (scope === undefined) return;
  const { namespace } = ref;
  const blanket = Object.keys(selector).length === 0;
  if (blanket) for (const sibling of tables.sidecars.find('blanket', namespace)) dirty.sidecars.add(sibling);
  const affected = !blanket
    ? tables.podsSelectedBy({ namespace, selector })
    : namespace === settings.rootNamespace
      ? tables.pods.values()
      : tables.pods.select('namespace', namespace);
  for (const { uid, injected } of affected) if (injected) dirty.pods.add(uid);
}

/** Sidecars whose selector matches a pod, the oldest first. */
export function selectingSidecars(tables: MeshTables, { namespace, labels }: PodFacts): SidecarFacts[] {
  const found: SidecarFacts[] = [];
  for (const term of labelTerms(namespace, labels)) {
    for (const one of tables.sidecars.select('term', term)) if (matchSelector(one.selector, labels)) found.push(one);
  }
  return found.sort(byAge);
}

/** The Sidecar that speaks for all pods of a namespace, or, in the root namespace, of the mesh: the oldest without a selector. */
export function blanketSidecar(tables: MeshTables, namespace: string): SidecarFacts | undefined {
  return [...tables.sidecars.select('blanket', namespace)].sort(byAge)[0];
}

/** The Sidecar that applies to a pod: one that selects it over the namespace's over the root namespace's; of each the oldest. */
export function findSidecar(settings: MeshSettings, tables: MeshTables, pod: PodFacts): SidecarFacts | undefined {
  return (
    selectingSidecars(tables, pod)[0] ??
    blanketSidecar(tables, pod.namespace) ??
    blanketSidecar(tables, settings.rootNamespace)
  );
}
