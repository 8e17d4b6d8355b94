import type { Assignment } from './assignment.ts';
import type { Lazy } from './lazy.ts';
import type { XdsResource } from './resource.ts';

/** A cluster as the clients of a scope have it, and its endpoints where they come from the mesh. */
export interface FoundCluster {
  readonly cluster: Lazy<XdsResource>;
  readonly assignment: Assignment | undefined;
}
