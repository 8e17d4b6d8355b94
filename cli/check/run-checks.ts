import type { Check, Finding } from './check.ts';
import { skipped } from './check.ts';
import type { CheckContext } from './context.ts';

/** What a check found. */
export interface CheckResult {
  readonly category: string;
  readonly title: string;
  readonly findings: readonly Finding[];
}

/**
 * Runs checks: those that are essential one after the other, as where one fails all else would only say the same; then all others beside each other.
 * @param tell hears of each that is done, and of how many are
 * @throws {KubeConnectionError} when the API server does not answer at all
 */
export async function runChecks(
  checks: readonly Check[],
  context: CheckContext,
  tell: (title: string, done: number) => void = () => undefined,
): Promise<CheckResult[]> {
  let done = 0;
  const run = async (check: Check): Promise<CheckResult> => {
    const { category, title } = check;
    const findings = await check.run(context).catch((error: unknown) => [unknown(title, error)]);
    tell(title, ++done);
    return { category, title, findings };
  };
  const results: CheckResult[] = [];
  for (const check of checks.filter(({ essential }) => essential)) {
    results.push(await run(check));
    if (!isWell(results)) return results;
  }
  return [...results, ...(await Promise.all(checks.filter(({ essential }) => !essential).map(run)))];
}

/** Whether none failed. */
export function isWell(results: readonly CheckResult[]): boolean {
  return results.every(({ findings }) => findings.every(({ level }) => level !== 'failed'));
}

/** What can't be looked at is told, and holds up no other check. */
function unknown(title: string, error: unknown): Finding {
  const { name, code, message } = error as Error & { code?: unknown };
  if (name === 'KubeConnectionError') throw error;
  if (name !== 'KubeError') return { level: 'failed', message: `${title}: ${message}` };
  if (code === 401) throw error;
  const next = code === 403 ? 'ask for the right to see it' : undefined;
  return skipped(`${title}: can't be seen: ${message}`, next);
}
