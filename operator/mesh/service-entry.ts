import type { ServiceEntry } from '../../api/service-entry.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Labels } from './selector.ts';
import type { Hostname } from './snapshot.ts';

/** What the mesh reads of a ServiceEntry. */
export interface ServiceEntryFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  readonly hosts: readonly Hostname[];
  /** Of pods and WorkloadEntries; empty: none. */
  readonly selector: Labels;
}

/** Reads a ServiceEntry. */
export function readServiceEntry({ metadata }: ServiceEntry): ServiceEntryFacts {
  const ref: ObjectRef = { kind: 'ServiceEntry', namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  return { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation, hosts: [], selector: {} };
}

/** What depends on a ServiceEntry. */
export function markServiceEntry({ dirty }: IngestionTarget, { key }: ServiceEntryFacts): void {
  dirty.serviceEntries.add(key);
}

/** Drafts them. */
export function draftServiceEntries(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  void [context, dirty, drafts];
}
