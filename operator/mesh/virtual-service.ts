import type { VirtualService } from '../../api/virtual-service.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import type { IngestionTarget } from './ingestion.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Hostname, MeshSettings } from './snapshot.ts';

/** What the mesh reads of a VirtualService. */
export interface VirtualServiceFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** Fully qualified. */
  readonly hosts: readonly Hostname[];
  /** Hostnames that its routes lead to. */
  readonly destinations: readonly Hostname[];
  /** `namespace/name` of the VirtualServices that it delegates routes to. */
  readonly delegates: readonly string[];
}

/** Reads a VirtualService. */
export function readVirtualService(_settings: MeshSettings, { metadata }: VirtualService): VirtualServiceFacts {
  const ref: ObjectRef = { kind: 'VirtualService', namespace: metadata.namespace, name: metadata.name };
  const generation = metadata.generation ?? 0;
  return {
    key: keyOf(metadata),
    ref,
    createdAt: creationTime(metadata),
    generation,
    hosts: [],
    destinations: [],
    delegates: [],
  };
}

/** What depends on a VirtualService. */
export function markVirtualService({ dirty }: IngestionTarget, { key }: VirtualServiceFacts): void {
  dirty.virtualServices.add(key);
}

/** Drafts them. */
export function draftVirtualServices(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  void [context, dirty, drafts];
}
