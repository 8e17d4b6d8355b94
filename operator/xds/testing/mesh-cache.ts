import { MeshBuilder } from '../../mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from '../../mesh/mesh-object.ts';
import type { MeshSettings, MeshSnapshot } from '../../mesh/snapshot.ts';
import { XdsCache } from '../xds-cache.ts';

/** A cache of the mesh that some objects make. */
export class MeshCache {
  readonly cache = new XdsCache();
  private readonly builder: MeshBuilder;

  constructor(settings: MeshSettings) {
    this.builder = new MeshBuilder(settings);
  }

  get snapshot(): MeshSnapshot {
    return this.builder.snapshot;
  }

  /** @throws {Error} when an object can't be read */
  put(...objects: readonly MeshObject[]): void {
    // Kind and object stay together, which a spread over a union of types does not show.
    this.apply(objects.map((entry) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange));
  }

  /** @throws {Error} when an object can't be read */
  apply(changes: readonly MeshChange[]): void {
    const { snapshot, delta, unreadable } = this.builder.apply(changes);
    if (unreadable.length > 0) throw new Error(`unreadable: ${JSON.stringify(unreadable)}`);
    this.cache.update(snapshot, delta);
  }
}
