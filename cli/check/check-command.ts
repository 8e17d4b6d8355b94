import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { draw } from '../terminal/guard.ts';
import { startProgress } from '../terminal/progress.ts';

interface CheckFlags extends ClusterFlags {
  readonly pre: boolean;
  readonly output: Format;
  readonly wait?: string;
}

const AGAIN_MS = 2000;

/** `heddle check`. */
export function checkCommand(): Command {
  const command = new Command('check')
    .description('Looks whether Heddle is well in the cluster, or with --pre whether it can be installed there.')
    .option('--pre', 'before an installation', false)
    .option('--wait <duration>', 'look again until nothing is wrong, for so long: 5m');
  return withClusterOptions(withOutputOption(command))
    .addHelpText(
      'after',
      `
✓ is well, ! works and should be looked at, ✗ is wrong, - can't be known with your rights. Each but the first says what
to do next. Nothing is changed: what has to be tried is tried without being stored.

Exit codes: 0 nothing is wrong, 1 something is, 3 the cluster can't be asked.

  heddle check --pre                 # may I install, and will it run here?
  heddle check                       # control plane, webhook, certificates, namespaces, pods, policies, proxies
  heddle check -n shop               # of namespaces and pods those of shop alone
  heddle check --wait 2m             # after an upgrade, in a script
  heddle check -o json | jq '.findings[] | select(.level != "ok")'`,
    )
    .action(check);
}

async function check(flags: CheckFlags): Promise<void> {
  const [{ CheckContext }, { runChecks, isWell }, { CHECKS, PRE_CHECKS }, format] = await Promise.all([
    import('./context.ts'),
    import('./run-checks.ts'),
    import('./registry.ts'),
    import('./format.ts'),
  ]);
  const { readTimeout } = await import('../install/wait.ts');
  const until = Date.now() + (flags.wait === undefined ? 0 : readTimeout(flags.wait, '--wait'));
  const cluster = await connect(flags);
  const checks = flags.pre ? PRE_CHECKS : CHECKS;
  for (;;) {
    const bar = process.stderr.isTTY ? startProgress('checking') : undefined;
    const context = new CheckContext(cluster, flags.namespace);
    const tell = (title: string, done: number) => bar?.update(done / checks.length, title);
    const results = await runChecks(checks, context, tell).catch((error: unknown) => {
      if (Date.now() >= until) throw error;
      return undefined;
    });
    if (bar) draw(process.stderr, '\r\u001b[2K');
    if (results && (isWell(results) || Date.now() >= until)) {
      const { output } = flags;
      const isObject = output === 'json' || output === 'yaml';
      console.log(
        isObject
          ? formatObjects(format.resultsAsJson(results), output)
          : format.formatResults(results, output === 'wide'),
      );
      process.exitCode = isWell(results) ? 0 : 1;
      break;
    }
    await sleep(Math.min(AGAIN_MS, until - Date.now()));
  }
  cluster.api.close();
}
