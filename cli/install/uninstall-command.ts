import { Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { paint } from '../terminal/colour.ts';
import { ask } from '../terminal/question.ts';

interface UninstallFlags extends ClusterFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly timeout: string;
}

/** `heddle uninstall`. */
export function uninstallCommand(): Command {
  const command = new Command('uninstall')
    .description(
      'Removes Heddle from the cluster and keeps the objects of users: Canaries, policies, routes and their definitions.',
    )
    .option('-y, --yes', 'do not ask', false)
    .option('--dry-run', 'show what would be deleted, in its order, and delete nothing', false)
    .option('--force', 'go on though nobody can give back what Canaries borrowed', false)
    .addOption(new Option('--timeout <duration>', 'how long each step may take').default('2m'));
  return withClusterOptions(command)
    .addHelpText(
      'after',
      `
First the operator goes, which gives back what Canaries borrowed of Deployments; then all else. Running pods go on
serving: restart them to be rid of their sidecars. The mesh's certificate authority goes with the namespace
heddle-system; whoever installs Heddle again gets another, and sidecars of before must be made anew.

  heddle uninstall --dry-run
  heddle uninstall --yes

Definitions stay, for deleting them deletes users' objects. To be rid of Heddle's own as well:

  kubectl delete crd -l app.kubernetes.io/part-of=heddle   # and every Canary, policy and route with them`,
    )
    .action(async (flags: UninstallFlags) => {
      const [{ planRemoval, remove }, { readManifests }, { readTimeout }, { titleOf }] = await Promise.all([
        import('./remove.ts'),
        import('./manifests.ts'),
        import('./wait.ts'),
        import('./manifest-object.ts'),
      ]);
      const timeoutMs = readTimeout(flags.timeout);
      const { api } = await connect(flags);
      const plan = await planRemoval(api, (await readManifests()).base);
      if (plan.objects.length === 0) throw new CliError('Heddle is not installed in this cluster');
      if (flags.dryRun) {
        for (const object of plan.objects) console.log(`${paint('red', '-')} ${titleOf(object)}`);
        for (const note of plan.notes) process.stderr.write(`${paint('yellow', '!', process.stderr)} ${note}\n`);
      } else {
        if (plan.unreturned.length > 0 && !flags.force) throw unreturned(plan.unreturned);
        if (!flags.yes) await confirm(plan.objects.length, plan.notes);
        await remove(api, plan.objects, timeoutMs);
        console.log('Heddle is removed. Restart pods to be rid of their sidecars.');
      }
      api.close();
    });
}

function unreturned(targets: readonly string[]): CliError {
  return new CliError(
    `the operator does not run, so nobody can give back what Canaries borrowed of:\n  ${targets.join('\n  ')}`,
    'bring it up first (heddle check says what it lacks), or say --force and set maxSurge and maxUnavailable of these yourself',
  );
}

async function confirm(count: number, notes: readonly string[]): Promise<void> {
  const { stdin, stderr } = process;
  for (const note of notes) stderr.write(`${paint('yellow', '!', stderr)} ${note}\n`);
  if (!stdin.isTTY) throw new CliError('nobody can be asked here', 'say --yes', 2);
  const answer = await ask(`Delete these ${count} objects of Heddle? Type yes: `, stdin, stderr);
  if (answer.trim() !== 'yes') throw new CliError('nothing was deleted');
}
