import type { Sidecar } from '../../api/sidecar.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { MeshSettings } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** What the mesh reads of a Sidecar. */
export interface SidecarFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
}

/** Reads a Sidecar. */
export function readSidecar(_settings: MeshSettings, { metadata }: Sidecar): SidecarFacts {
  const ref: ObjectRef = { kind: 'Sidecar', namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  return { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation };
}

/** What depends on a Sidecar. */
export function markSidecar({ dirty }: IngestionTarget, { key }: SidecarFacts): void {
  dirty.sidecars.add(key);
}

/** Drafts them. */
export function draftSidecars(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  void [context, dirty, drafts];
}

/** The Sidecar that applies to a pod: one that selects it over the namespace's over the root namespace's; of each the oldest. */
export function matchSidecar(_settings: MeshSettings, _tables: MeshTables, _pod: PodFacts): ObjectKey | undefined {
  return undefined;
}
