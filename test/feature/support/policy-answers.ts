import type { TrafficPolicy } from '../../../operator/mesh/destination-policy.ts';
import type { Answer } from './policy-bed.ts';

/** An endpoint is left out after two failures running, for two seconds. */
export const EJECTING: TrafficPolicy = {
  loadBalancer: { simple: 'ROUND_ROBIN' },
  outlierDetection: { consecutive5xxErrors: 2, interval: '100ms', baseEjectionTime: '2s', maxEjectionPercent: 100 },
};

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Makes calls one after another. */
export async function repeat(count: number, call: (index: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < count; index++) answers.push(await call(index));
  return answers;
}

/** How often each server answered, by its body, and how often each status other than 200 came. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const key = status === 200 ? body : String(status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
