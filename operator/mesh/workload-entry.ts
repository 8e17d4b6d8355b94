import type { WorkloadEntry } from '../../api/workload-entry.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';

/** What the mesh reads of a WorkloadEntry. */
export interface WorkloadEntryFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  readonly labels: Labels;
}

/** Reads a WorkloadEntry. */
export function readWorkloadEntry({ metadata }: WorkloadEntry): WorkloadEntryFacts {
  const ref: ObjectRef = { kind: 'WorkloadEntry', namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  return { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation, labels: {} };
}

/** What depends on a WorkloadEntry. */
export function markWorkloadEntry({ dirty }: IngestionTarget, { key }: WorkloadEntryFacts): void {
  dirty.workloadEntries.add(key);
}

/** Drafts them. */
export function draftWorkloadEntries(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  void [context, dirty, drafts];
}
