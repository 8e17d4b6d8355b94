import type { MeshConfig } from '../../api/mesh-config.ts';
import type { MeshSnapshot } from '../../operator/mesh/snapshot.ts';
import type { AnyObject } from './documents.ts';
import type { Finding } from './message.ts';

/** What analyzers look at. */
export interface AnalysisContext {
  readonly config: MeshConfig;
  readonly snapshot: MeshSnapshot;
  /** All objects, also of kinds that the mesh is not built from. */
  readonly objects: readonly AnyObject[];
  /** By `kind namespace/name`. */
  find(kind: string, namespace: string, name: string): AnyObject | undefined;
  ofKind<T extends AnyObject>(kind: string): readonly T[];
  /** There are pods to look at: without any, nothing can be said of who is selected. */
  readonly knowsPods: boolean;
}

/** One judgement over all objects. Pure: equal contexts give equal findings. */
export type Analyzer = (context: AnalysisContext) => Iterable<Finding>;

/** The reference of any object. */
export function refOf({ kind = '', metadata }: AnyObject): Finding['object'] {
  return { kind, namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' };
}
