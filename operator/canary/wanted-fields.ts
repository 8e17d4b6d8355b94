import type { CanaryStatus } from '../../api/canary-status.ts';
import type { WantedFields } from './borrowed-fields.ts';
import type { Observation } from './observation.ts';
import { planOf } from './plan.ts';
import { roomOf } from './target-fitness.ts';

/** A week: `kubectl rollout status` waits for the verdict. */
const LONG_SECONDS = 7 * 24 * 3600;

/**
 * What the operator wants of the target's rollout at this point.
 * @param status as just written
 * @returns undefined: leave everything as it is; empty: give everything back
 */
export function wantedFields(status: CanaryStatus, observation: Observation): WantedFields | undefined {
  const { spec, target, rival } = observation;
  if (rival || !target || !spec) return undefined;
  if (status.stableRevision === undefined) return {};
  const ungated = status.conditions?.find(({ type }) => type === 'Ungated');
  const held = ungated?.status === 'True' && status.canaryRevision === target.current;
  const deadline = deadlineSeconds(status, observation);
  return {
    maxUnavailable: 0,
    maxSurge: `${surgePercent(status, observation)}%`,
    ...(deadline === undefined ? {} : { progressDeadlineSeconds: deadline }),
    ...(held ? { paused: true } : {}),
  };
}

/** In percent, so that it follows `kubectl scale` and autoscalers by itself. */
function surgePercent({ phase, step }: CanaryStatus, { spec, target }: Observation): number {
  if (!spec || !target) return 100;
  const plan = planOf(spec.analysis, roomOf(target));
  const first = plan[0]?.pods ?? 1;
  // A revision that is released untried rolls out as it would without us.
  if (phase === 'Promoting') return step === undefined ? Math.max(25, first) : 100;
  const trying = phase === 'Progressing' || phase === 'Waiting';
  return trying ? (plan[Math.min(step ?? 0, plan.length - 1)]?.pods ?? first) : first;
}

/** Long while a revision is tried; as short as can be once it has failed or will not replace the stable one, until `kubectl rollout status` can tell. */
function deadlineSeconds(
  { phase, lastProgressTime }: CanaryStatus,
  { target, spec, now }: Observation,
): number | undefined {
  const stalledMs = now - Date.parse(lastProgressTime ?? '');
  if (phase === 'Promoting' && spec && stalledMs > spec.progressDeadlineSeconds * 1000)
    return spec.progressDeadlineSeconds;
  if (phase === 'Progressing' || phase === 'Waiting' || phase === 'Promoting') return LONG_SECONDS;
  if (phase === 'Failed' && target && !target.timedOut) return target.minReadySeconds + 1;
  return undefined;
}
