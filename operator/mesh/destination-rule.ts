import type { DestinationRule } from '../../api/destination-rule.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Hostname, MeshSettings } from './snapshot.ts';

/** What the mesh reads of a DestinationRule. */
export interface DestinationRuleFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** Fully qualified. */
  readonly host: Hostname;
}

/** Reads a DestinationRule. */
export function readDestinationRule(_settings: MeshSettings, { metadata }: DestinationRule): DestinationRuleFacts {
  const ref: ObjectRef = { kind: 'DestinationRule', namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  return { key: keyOf(metadata), ref, createdAt: creationTime(metadata), generation, host: '' };
}

/** What depends on a DestinationRule. */
export function markDestinationRule({ dirty }: IngestionTarget, { key }: DestinationRuleFacts): void {
  dirty.destinationRules.add(key);
}

/** Drafts them. */
export function draftDestinationRules(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  void [context, dirty, drafts];
}
