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
  /** Where those at work on a pod are about a port whose protocol is guessed; of kinds for which that matters. */
  readonly guessed?: PolicyTally;
  /** Those at work on a workload, each with its ports where it is about some alone. */
  readonly at: (workload: Workload) => readonly AttachedRules[];
  readonly view: (key: string) => PolicyView | undefined;
}

/** A policy at work on a workload. */
interface AttachedRules {
  readonly rules: { readonly ref: ObjectRef };
  readonly ports?: readonly number[];
}

/** Drafts the views of policies of a kind. What they come to is part of the workloads, which are drafted before. */
export function draftAttached(
  { pods }: Pick<DirtySet, 'pods'>,
  { workloads, policies }: Pick<Drafts, 'workloads' | 'policies'>,
  { kind, tally, overlap, guessed, dirty, at, view }: AttachedKind,
): void {
  for (const uid of pods) {
    const workload = workloads.get(uid);
    const attached = workload === undefined ? [] : at(workload);
    const refs = attached.map(({ rules }) => rules.ref);
    overlap.replace(uid, refs.map(objectKey));
    const changed = new Set(tally.replace(uid, decisionOf(refs)));
    const byGuess = attached.filter((one) => isAboutGuessed(workload, one)).map(({ rules }) => rules.ref);
    for (const key of guessed?.replace(uid, decisionOf(byGuess)) ?? []) changed.add(key);
    for (const key of changed) dirty.add(key.slice(kind.length + 1));
  }
  for (const key of dirty) policies.put(`${kind}/${key}`, view(key));
}

/** Whether a policy is about a port of a workload that may be of HTTP or not. */
function isAboutGuessed(workload: Workload | undefined, { ports }: AttachedRules): boolean {
  const guessed = workload?.inbound.filter(({ protocol }) => protocol === 'auto') ?? [];
  return guessed.some(({ port }) => ports === undefined || ports.includes(port));
}

/** How policies that are all in force beside each other come out for a workload. */
export function decisionOf(refs: readonly ObjectRef[]): TalliedDecision | undefined {
  if (refs.length === 0) return undefined;
  return { effective: { policies: refs }, selecting: refs.map(objectKey), losers: [] };
}
