import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { isRouted, type Step } from './plan.ts';
import { judgeWindow, type Verdict } from './verdict.ts';

/**
 * Judges a window by what the step lets be seen. Of copies nobody sees the answers, so what the revision's own sidecars served stands for both sides. Where
 * no request is routed to it, those that come all the same (from a test that calls its pods) are judged when they suffice; else there is nothing to
 * judge here, and what stays are its pods, hooks and metrics from elsewhere.
 * @param elapsedMs length of the window
 */
export function judgeStep(step: Step, analysis: CanaryAnalysis, answer: TrafficAnswer, elapsedMs: number): Verdict {
  if (isLive(step, analysis)) return judgeWindow(analysis, answer, elapsedMs);
  const own = { ...answer, callers: answer.served };
  const silent = !isRouted(step, analysis) && answer.complete && answer.served.requests < analysis.minRequests;
  return silent ? { kind: 'Passed' } : judgeWindow(analysis, own, elapsedMs);
}

function isLive(step: Step, { traffic }: CanaryAnalysis): boolean {
  return traffic === 'Requests' && (step.weight > 0 || step.matched);
}
