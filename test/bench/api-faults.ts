import { fileURLToPath } from 'node:url';
import { envoyBinary } from '../../hack/envoy/binary.ts';
import type { ApiFaultPlan } from './api-fault-story.ts';
import type { BenchResult } from './result.ts';
import { runAlone } from './run-alone.ts';

const STORY = fileURLToPath(new URL('./api-fault-story.ts', import.meta.url));
/** What takes so long hangs. */
const HANG_MS = 1_200_000;

const FULL: ApiFaultPlan = {
  services: 200,
  proxies: 500,
  calmMs: 10_000,
  faults: [
    { fault: 'reordered', ms: 30_000 },
    { fault: 'gone', ms: 30_000 },
    { fault: 'cut', ms: 60_000 },
  ],
};

/**
 * A real API server, the real operator and real Envoys with requests, beside 500 played proxies: the API server is gone for a minute, answers 410 to
 * watches, and events of different kinds come in another order, while something changes every second. Needs Linux and root, or user namespaces.
 * @throws {Error} when the namespaces cannot be had, or something does not start
 */
export async function run(plan: ApiFaultPlan = FULL): Promise<BenchResult[]> {
  await envoyBinary();
  return runAlone<BenchResult[]>(STORY, plan, HANG_MS);
}
