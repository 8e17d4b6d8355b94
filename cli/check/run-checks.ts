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
 * Runs checks: the first alone, as nothing can be asked where the API server does not answer, then all others beside each other.
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
  const [first, ...others] = checks;
  return first === undefined ? [] : [await run(first), ...(await Promise.all(others.map(run)))];
}

/** As `runChecks`, but where the first of them that are essential fails, nothing more is looked at: all else would only say the same. */
export async function look(
  checks: readonly Check[],
  context: CheckContext,
  tell?: (title: string, done: number) => void,
): Promise<CheckResult[]> {
  const essential = await runChecks(
    checks.filter((check) => check.essential),
    context,
    tell,
  );
  if (!isWell(essential)) return essential;
  const others = await runChecks(
    checks.filter((check) => !check.essential),
    context,
    (title, done) => tell?.(title, done + essential.length),
  );
  return [...essential, ...others];
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
