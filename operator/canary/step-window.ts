import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { isRouted, type Step } from './plan.ts';

/** What a window shows of both revisions. */
export interface WindowTraffic {
  readonly next: TrafficAnswer;
  readonly stable: TrafficAnswer;
  /** No requests are to be expected, and none came that would suffice: there is nothing to judge by them. */
  readonly isQuiet: boolean;
}

/**
 * What the step lets be seen. Of copies nobody sees the answers, so what the revisions' own sidecars served stands for both sides. Where no request is routed
 * to the new one, those that come all the same (from a test that calls its pods) are judged when they suffice; else what stays are its pods, hooks and
 * metrics from elsewhere.
 */
export function seenInStep(
  step: Step,
  analysis: CanaryAnalysis,
  next: TrafficAnswer,
  stable: TrafficAnswer,
): WindowTraffic {
  if (isLive(step, analysis)) return { next, stable, isQuiet: false };
  const isQuiet = !isRouted(step, analysis) && next.complete && next.served.requests < analysis.minRequests;
  return { next: servedAlone(next), stable: servedAlone(stable), isQuiet };
}

function servedAlone(answer: TrafficAnswer): TrafficAnswer {
  return { ...answer, callers: answer.served };
}

function isLive(step: Step, { traffic }: CanaryAnalysis): boolean {
  return traffic === 'Requests' && (step.weight > 0 || step.matched);
}
