import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type StateLayout, stateLayout } from '../../hack/cluster/layout.ts';
import type { BenchResult } from './result.ts';

/**
 * What a module does that `runAlone` runs: tells its story by the plan that it was given, writes the results, and ends. All that was started ends with the
 * process, the first of its namespace; the logs stay when something went wrong.
 * @param name of the folder that the API server has its state in
 */
export async function toldAlone<Plan>(
  name: string,
  tell: (plan: Plan, state: StateLayout) => Promise<BenchResult[]>,
): Promise<never> {
  const state = stateLayout(await mkdtemp(path.join(tmpdir(), `heddle-${name}-`)));
  try {
    const results = await tell(JSON.parse(process.argv[2] ?? '{}') as Plan, state);
    await rm(state.root, { recursive: true, force: true });
    console.log(JSON.stringify(results));
    process.exit(0);
  } catch (error) {
    console.error(error, `logs: ${state.logs}`);
    process.exit(1);
  }
}
