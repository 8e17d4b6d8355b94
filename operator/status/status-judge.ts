import { mergeConditions } from '../../kube/status.ts';
import { sameValue } from '../mesh/equality.ts';
import type { ObjectKey, ObjectRef } from '../mesh/object-ref.ts';
import type { MeshSnapshot, PolicyReach } from '../mesh/snapshot.ts';
import type { Absence } from './absence.ts';
import { buildConditions, isLeftOut } from './conditions.ts';
import { countEnforcement, type EnforcementCount, type EnforcementSource, NO_ENFORCEMENT } from './enforcement.ts';
import { type CountsSource, isDegraded, lostCounts } from './lost-counts.ts';
import type { PolicyStatus } from './policy-objects.ts';
import type { WorkloadIndex } from './workload-index.ts';

/** Tells in one sentence what a policy refused of late, or would have, when it is in dry run. Undefined: nothing that is worth one. */
export type FindingSource = (policy: ObjectRef, dryRun: boolean) => string | undefined;

/** What policies are judged by. */
export interface JudgeContext {
  readonly snapshot: MeshSnapshot;
  readonly workloads: WorkloadIndex;
  readonly enforcement: EnforcementSource;
  readonly absence: Absence;
  readonly findings: FindingSource;
  readonly counts: Pick<CountsSource, 'problem'>;
}

/** What is to be said of a policy. */
export interface Judgement {
  /** Undefined when there is nothing to say. */
  readonly wanted: PolicyStatus | undefined;
  /** Undefined when the mesh does not know the policy, or does not judge it. */
  readonly reach: PolicyReach | undefined;
  readonly count: EnforcementCount;
}

const NO_COUNT: EnforcementCount = {
  enforcement: NO_ENFORCEMENT,
  holders: [],
  looked: 0,
  graceMs: Number.POSITIVE_INFINITY,
};

/**
 * Judges one policy.
 * @param present the status it has
 * @param now ms since the epoch
 */
export function judgePolicy(
  key: ObjectKey,
  present: PolicyStatus,
  { snapshot, workloads, enforcement, absence, findings, counts }: JudgeContext,
  now: number,
): Judgement {
  const view = snapshot.policies.get(key);
  const conditions = present.conditions ?? [];
  const programmed = conditions.find(({ type }) => type === 'Programmed');
  // Its namespace is not ours any more: what we said of it is taken back, what others say of it stands.
  if (view === undefined) return { wanted: programmed && {}, reach: undefined, count: NO_COUNT };
  const { reach, generation: observedGeneration } = view;
  const count = isLeftOut(view) ? NO_COUNT : countEnforcement(workloads.within(reach), key, enforcement, absence, now);
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  const found = findings(view.object, view.dryRun === true);
  const told = found === undefined ? view : { ...view, notes: [...view.notes, found] };
  const lost = lostCounts(view, counts.problem());
  const standing = lost.length > 0 ? conditions : conditions.filter(({ type }) => !isDegraded(view, type));
  const merged = mergeConditions(standing, [...buildConditions(told, count.enforcement, programmed), ...lost], time);
  return { wanted: { observedGeneration, conditions: merged }, reach, count };
}

/** Whether two statuses say the same. */
export function sameStatus(a: PolicyStatus, b: PolicyStatus): boolean {
  return a.observedGeneration === b.observedGeneration && sameValue(a.conditions ?? [], b.conditions ?? []);
}
