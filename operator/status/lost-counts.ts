import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import type { PolicyView } from '../mesh/snapshot.ts';
import type { WantedCondition } from './conditions.ts';

/** A condition that is there only while something that the policy needs is not. */
const DEGRADED = 'Degraded';

/** Tells whether counts of global rate limits can be asked; `main.ts` joins it with where they are kept. */
export interface CountsSource {
  /** Why they can't; undefined: they can. */
  problem(): string | undefined;
  /** Calls back when that is another. Gives a function that ends that. */
  onChange(listener: () => void): () => void;
}

/** Whether the condition is one of ours: those of that name in other kinds are somebody else's. */
export function isDegraded(view: PolicyView, type: string): boolean {
  return type === DEGRADED && view.object.kind === RATE_LIMIT_POLICY_KIND;
}

/**
 * What a policy says while counts of its global limits cannot be asked.
 * @param problem why; undefined: they can be
 * @returns nothing for a policy that has none
 */
export function lostCounts(view: PolicyView, problem: string | undefined): WantedCondition[] {
  const { failureMode, dryRun, generation: observedGeneration } = view;
  if (problem === undefined || failureMode === undefined) return [];
  const passes = 'requests pass that they alone would refuse (failureMode Open)';
  const refused = 'requests that they are about are answered 503 (failureMode Closed)';
  const outcome = failureMode === 'Closed' ? refused : passes;
  const message = `Redis cannot be asked for the counts of its global limits, so ${dryRun ? 'what they would refuse is not known' : outcome}: ${problem}.`;
  return [{ type: DEGRADED, status: 'True', reason: 'CountsUnavailable', message, observedGeneration }];
}
