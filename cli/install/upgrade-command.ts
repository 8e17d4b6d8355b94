import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { connect, withClusterOptions } from '../cluster-options.ts';
import { paint } from '../terminal/colour.ts';
import type { Plan } from './apply.ts';
import { type ChoiceFlags, readChoices, withChoiceOptions } from './install-options.ts';
import type { Installed } from './installed.ts';

interface UpgradeFlags extends ChoiceFlags {
  readonly dryRun: boolean;
  readonly allowDowngrade: boolean;
  readonly resetValues: boolean;
}

/** Of one object. A definition that changes has hundreds. */
const SHOWN_LINES = 40;

/** `heddle upgrade`. */
export function upgradeCommand(): Command {
  const command = new Command('upgrade').description(
    'Brings an installation to this version, or changes its settings; shows every field that changes. Traffic goes on meanwhile.',
  );
  withChoiceOptions(command)
    .option('--dry-run', 'show what would change, as the API server tells it, and change nothing', false)
    .option('--reset-values', 'forget settings, image and replicas that were chosen before', false)
    .option('--allow-downgrade', 'go on though what is installed is newer', false);
  return withClusterOptions(command)
    .addHelpText(
      'after',
      `
What was chosen by install and earlier upgrades holds on; --set of null takes a choice back. Of an installation by
kubectl apply -k the choices are what differs from the manifests. Where somebody else has set a field otherwise, nothing
is changed and the field is named. Running sidecars stay as they are until their pods are made anew.

  heddle upgrade --dry-run
  heddle upgrade --set proxy.dnsCapture=true --replicas 3
  heddle upgrade --set proxy.dnsCapture=null        # the default again`,
    )
    .action(upgrade);
}

async function upgrade(flags: UpgradeFlags): Promise<void> {
  const [{ clientVersion }, { readManifests }, { customize }, { findInstalled }, rollOut, { readTimeout }, apply] =
    await Promise.all([
      import('./home.ts'),
      import('./manifests.ts'),
      import('./customize.ts'),
      import('./installed.ts'),
      import('./roll-out.ts'),
      import('./wait.ts'),
      import('./apply.ts'),
    ]);
  const timeoutMs = readTimeout(flags.timeout);
  const choose = await readChoices(flags);
  const [{ base, istioDefinitions }, version] = await Promise.all([readManifests(), clientVersion()]);
  const { api } = await connect(flags);
  const installed = await findInstalled(api, base);
  if (!installed) throw new CliError('Heddle is not installed in this cluster', 'heddle install');
  await refuseDowngrade(installed, version, flags);
  if (!flags.resetValues) tellGuess(installed);
  const choices = choose(flags.resetValues ? undefined : installed.choices);
  const objects = customize(base, choices, version, installed.replicas);
  const definitions = flags.istioCrds ? await rollOut.chooseDefinitions(api, istioDefinitions) : { apply: [] };
  const plans = await apply.planObjects(api, [...definitions.apply, ...objects], flags.forceConflicts);
  const changed = plans.filter(({ action }) => action !== 'keep');
  for (const plan of changed) if (plan.conflicts.length === 0) console.log(await formatPlan(plan));
  apply.refuseConflicts(plans);
  const stay = plans.length - changed.length;
  if (flags.dryRun) console.log(`${changed.length} objects would change, ${stay} stay as they are.`);
  else {
    if (changed.length > 0) await rollOut.applyAll(api, changed);
    if (flags.wait) await rollOut.awaitReady(api, timeoutMs);
    console.log(`Heddle ${version} is in place: ${changed.length} objects changed, ${stay} stayed as they were.`);
  }
  api.close();
}

async function refuseDowngrade({ version: present }: Installed, version: string, flags: UpgradeFlags): Promise<void> {
  const { compareVersions } = await import('./installed.ts');
  if (present === undefined || compareVersions(version, present) >= 0 || flags.allowDowngrade) return;
  throw new CliError(
    `Heddle ${present} is installed, and this program is of ${version}: fields of users' objects that only ${present} knows could be lost`,
    `use the heddle of ${present}, or say --allow-downgrade`,
  );
}

function tellGuess({ guessed, choices: { settings, ...others } }: Installed): void {
  const kept = { ...(Object.keys(settings).length > 0 ? { settings } : {}), ...others };
  if (!guessed || Object.keys(kept).length === 0) return;
  process.stderr.write(
    `${paint('yellow', 'note:', process.stderr)} kept as chosen, as it differs from the manifests: ${JSON.stringify(kept)}\n`,
  );
}

/** An object that changes, and how. */
async function formatPlan({ object, action, changes }: Plan): Promise<string> {
  const { titleOf } = await import('./manifest-object.ts');
  if (action === 'create') return `${paint('green', '+')} ${paint('bold', titleOf(object))}`;
  const more = changes.length > SHOWN_LINES ? [`... and ${changes.length - SHOWN_LINES} lines more`] : [];
  const lines = [...changes.slice(0, SHOWN_LINES), ...more].map((line) => `    ${line}`);
  return [`${paint('yellow', '~')} ${paint('bold', titleOf(object))}`, ...lines].join('\n');
}
