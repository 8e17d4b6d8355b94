import { fileURLToPath } from 'node:url';
import type { CanaryPlan } from './canary-story.ts';
import type { BenchResult } from './result.ts';
import { runAlone } from './run-alone.ts';

const STORY = fileURLToPath(new URL('./canary-story.ts', import.meta.url));
/** What takes so long hangs. */
const HANG_MS = 5_400_000;

const FULL: CanaryPlan = {
  canaries: 1000,
  namespaces: 10,
  callers: 20,
  interval: '1m',
  stepWeights: [5, 50],
  stepDuration: '2m',
};

/** Begun one after the other, as they are where nobody releases everything at once, and in one moment, so that all checks are due in one as well. */
const PLANS: readonly CanaryPlan[] = [{ ...FULL, releasedOver: '1m' }, FULL];

/**
 * 1,000 Canaries under analysis at once: a real API server, the real operator, and a played sidecar for each of their 3,000 pods and for those that call
 * them all, which report requests as Envoy does. Needs Linux and root, or user namespaces.
 * @throws {Error} when the namespaces cannot be had, or something does not start
 */
export async function run(plans: readonly CanaryPlan[] = PLANS): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const plan of plans) results.push(...(await runAlone<BenchResult[]>(STORY, plan, HANG_MS)));
  return results;
}
