import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { Observation, TargetView } from '../observation.ts';
import { planOf } from '../plan.ts';
import type { WantedFields } from './borrowed-fields.ts';
import { roomOf } from './target-fitness.ts';

/** A week: `kubectl rollout status` waits for the verdict. */
const LONG_SECONDS = 7 * 24 * 3600;

/** What is wanted of a Deployment's rollout. @param status as just written, with a stable revision */
export function wantedOfDeployment(status: CanaryStatus, observation: Observation, target: TargetView): WantedFields {
  const ungated = status.conditions?.find(({ type }) => type === 'Ungated');
  const held = ungated?.status === 'True' && status.canaryRevision === target.current;
  const stops = held || isToStopWorking(status, observation, target);
  const deadline = deadlineSeconds(status, observation, target);
  return {
    maxUnavailable: 0,
    maxSurge: `${surgePercent(status, observation, target)}%`,
    ...(deadline === undefined ? {} : { progressDeadlineSeconds: deadline }),
    ...(stops ? { paused: true } : {}),
  };
}

/**
 * Whether the pods of a worker's revision that was given up are to go (`leftWorking`): no gate keeps them from their queue, and Kubernetes makes none anew
 * while the rollout is stopped. Before that `kubectl rollout status` is told, where the deadline is ours to shorten.
 */
export function isToStopWorking(status: CanaryStatus, { spec }: Observation, target: TargetView): boolean {
  const { phase, failedRevision, stableRevision = '' } = status;
  if (phase !== 'Failed' || spec?.analysis.traffic !== 'None' || failedRevision !== target.current) return false;
  const works = (target.revisions.get(stableRevision)?.replicas ?? 0) > 0;
  return works && (target.timedOut || target.mayTake.progressDeadlineSeconds !== true);
}

/** In percent, so that it follows `kubectl scale` and autoscalers by itself. */
function surgePercent({ phase, step }: CanaryStatus, { spec }: Observation, target: TargetView): number {
  if (!spec) return 100;
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
  { spec, now }: Observation,
  target: TargetView,
): number | undefined {
  const stalledMs = now - Date.parse(lastProgressTime ?? '');
  if (phase === 'Promoting' && spec && stalledMs > spec.progressDeadlineSeconds * 1000)
    return spec.progressDeadlineSeconds;
  if (phase === 'Progressing' || phase === 'Waiting' || phase === 'Promoting') return LONG_SECONDS;
  if (phase === 'Failed' && !target.timedOut) return target.minReadySeconds + 1;
  return undefined;
}
