import { CANARY_KIND, type Canary } from '../../api/canary.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import type { ObjectRef } from './object-ref.ts';
import { ownerKey } from './owner-key.ts';
import { readSplitTerms } from './read-split-terms.ts';
import type { SplitTerms } from './split-terms.ts';

/** What the mesh reads of a Canary. */
export interface CanaryFacts {
  readonly key: string;
  readonly ref: ObjectRef;
  readonly createdAt: number;
  readonly generation: number;
  /** `namespace/Kind/name` of what is released. */
  readonly target: string;
  /** '' when there is none yet: nothing is split. */
  readonly stable: string;
  /** '' when nothing is being released. */
  readonly next: string;
  /** `next` has not failed. */
  readonly onTrial: boolean;
  /** Revisions that were released. */
  readonly released: readonly string[];
  readonly weight: number;
  /** Absent: the weight is all there is. */
  readonly terms?: SplitTerms;
}

/** Reads a Canary: its target, and what the canary controller wrote into its status. */
export function readCanary({ metadata, spec, status }: Canary): CanaryFacts {
  const stable = status?.stableRevision ?? '';
  const revision = status?.canaryRevision ?? '';
  const next = revision === stable ? '' : revision;
  const terms = next === '' ? undefined : readSplitTerms(spec.analysis, status, stable, next);
  return {
    key: keyOf(metadata),
    ref: { kind: CANARY_KIND, namespace: metadata.namespace, name: metadata.name },
    createdAt: creationTime(metadata),
    generation: metadata.generation ?? 0,
    target: ownerKey(metadata.namespace, spec.targetRef.kind, spec.targetRef.name),
    stable,
    next,
    onTrial: next !== '' && status?.failedRevision !== next,
    released: status?.ungatedRevisions ?? [],
    weight: Math.min(100, Math.max(0, status?.weight ?? 0)),
    ...(terms === undefined ? {} : { terms }),
  };
}
