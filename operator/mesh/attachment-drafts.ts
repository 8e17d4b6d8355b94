import type { DirtySet } from './dirty-set.ts';
import type { Drafts } from './drafts.ts';
import { type ObjectRef, objectKey } from './object-ref.ts';
import type { OverlapTally } from './overlap-tally.ts';
import type { PolicyTally, TalliedDecision } from './policy-tally.ts';
import type { PolicyView, Workload } from './snapshot.ts';

/** A kind of policies of the inbound side, all of which that are about a pod are in force there. */
interface AttachedKind {
  readonly kind: string;
  readonly tally: PolicyTally;
  /** Which of them are about the same workloads. */
  readonly overlap: OverlapTally;
  /** Those whose views are to be drafted, `namespace/name`. */
  readonly dirty: Set<string>;
  /** Those at work on a workload. */
  readonly at: (workload: Workload) => readonly ObjectRef[];
  readonly view: (key: string) => PolicyView | undefined;
}

/** Drafts the views of policies of a kind. What they come to is part of the workloads, which are drafted before. */
export function draftAttached(
  { pods }: Pick<DirtySet, 'pods'>,
  { workloads, policies }: Pick<Drafts, 'workloads' | 'policies'>,
  { kind, tally, overlap, dirty, at, view }: AttachedKind,
): void {
  for (const uid of pods) {
    const workload = workloads.get(uid);
    const refs = workload === undefined ? [] : at(workload);
    overlap.replace(uid, refs.map(objectKey));
    for (const key of tally.replace(uid, decisionOf(refs))) dirty.add(key.slice(kind.length + 1));
  }
  for (const key of dirty) policies.put(`${kind}/${key}`, view(key));
}

/** How policies that are all in force beside each other come out for a workload. */
export function decisionOf(refs: readonly ObjectRef[]): TalliedDecision | undefined {
  if (refs.length === 0) return undefined;
  return { effective: { policies: refs }, selecting: refs.map(objectKey), losers: [] };
}
