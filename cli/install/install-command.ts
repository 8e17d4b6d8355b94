import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type Cluster, connect, withClusterOptions } from '../cluster-options.ts';
import { paint } from '../terminal/colour.ts';
import { type ChoiceFlags, readChoices, withChoiceOptions } from './install-options.ts';
import type { Choices } from './settings.ts';

interface InstallFlags extends ChoiceFlags {
  readonly dryRun: boolean;
  readonly skipChecks: boolean;
}

/** `heddle install`. */
export function installCommand(): Command {
  const command = new Command('install').description(
    'Installs Heddle in the cluster, and waits until it serves. Nothing of what runs there changes until namespaces opt in.',
  );
  withChoiceOptions(command)
    .option('--dry-run', 'print the objects as YAML and ask no cluster', false)
    .option('--skip-checks', 'do not ask first whether the cluster can take it (heddle check --pre)', false);
  return withClusterOptions(command)
    .addHelpText(
      'after',
      `
Objects are applied by server-side apply as heddle-cli; what was chosen here is kept for upgrades.
Istio's definitions (CRDs) are made only where they are absent, and never in the place of those of an Istio.

  heddle install
  heddle install --replicas 2 --set proxy.logLevel=info --set outboundTrafficPolicy.mode=REGISTRY_ONLY
  heddle install --values mesh-of-ours.yaml --image registry.example/heddle:1.0
  heddle install --dry-run | kubectl diff -f -

Then opt in a namespace, and make its pods anew:

  kubectl label namespace shop heddle.dev/injection=enabled
  kubectl rollout restart deployment -n shop`,
    )
    .action(async (flags: InstallFlags) => {
      if (flags.dryRun) await printManifests(flags);
      else await install(flags);
    });
}

/** What is read and made for later objects waits until the first are printed. */
async function printManifests(flags: InstallFlags): Promise<void> {
  const [{ readBase, readIstioDefinitions }, { stringify }, choose] = await Promise.all([
    import('./manifests.ts'),
    import('yaml'),
    readChoices(flags),
  ]);
  const choices = choose();
  await checkChosen(choices);
  let separator = '';
  const print = (object: object): void => {
    process.stdout.write(separator + stringify(object, { lineWidth: 0 }));
    separator = '---\n';
  };
  // One after the other, for all of them together take a second.
  if (flags.istioCrds) for await (const object of readIstioDefinitions()) print(object);
  const { customize } = await import('./customize.ts');
  const { clientVersion } = await import('./home.ts');
  for (const object of customize(await readBase(), choices, await clientVersion())) print(object);
  if (flags.istioCrds) {
    process.stderr.write(
      `${paint('yellow', 'note:', process.stderr)} with Istio's definitions; heddle install leaves out those a cluster has\n`,
    );
  }
}

/** Settings that are wrong are told before anything is printed. */
async function checkChosen({ settings }: Choices): Promise<void> {
  if (Object.keys(settings).length === 0) return;
  const { writeSettings } = await import('./settings.ts');
  writeSettings('', settings);
}

async function install(flags: InstallFlags): Promise<void> {
  const [{ clientVersion }, { readManifests }, { customize }, { findInstalled }, rollOut, { readTimeout }] =
    await Promise.all([
      import('./home.ts'),
      import('./manifests.ts'),
      import('./customize.ts'),
      import('./installed.ts'),
      import('./roll-out.ts'),
      import('./wait.ts'),
    ]);
  const timeoutMs = readTimeout(flags.timeout);
  const choose = await readChoices(flags);
  const { base, istioDefinitions } = await readManifests();
  const version = await clientVersion();
  const objects = customize(base, choose(), version);
  const cluster = await connect(flags);
  const { api } = cluster;
  const installed = await findInstalled(api, base);
  if (installed) {
    throw new CliError(`Heddle ${installed.version ?? ''} is installed already`.replace('  ', ' '), 'heddle upgrade');
  }
  if (!flags.skipChecks) await refuseUnfit(cluster);
  const { apply, left } = flags.istioCrds
    ? await rollOut.chooseDefinitions(api, istioDefinitions)
    : { apply: [], left: [] };
  for (const sentence of left) process.stderr.write(`${paint('dim', '-', process.stderr)} ${sentence}\n`);
  const all = [...apply, ...objects].map((object) => ({ object, force: flags.forceConflicts }));
  await rollOut.applyAll(api, all);
  if (flags.wait) await rollOut.awaitReady(api, timeoutMs);
  console.log(`Heddle ${version} is installed.`);
  process.stderr.write(
    `${paint('dim', 'next:', process.stderr)} kubectl label namespace NAME heddle.dev/injection=enabled, then restart its workloads\n`,
  );
  api.close();
}

async function refuseUnfit(cluster: Cluster): Promise<void> {
  const { CheckContext } = await import('../check/context.ts');
  const { runChecks } = await import('../check/run-checks.ts');
  const { PRE_CHECKS } = await import('../check/registry.ts');
  const { formatFinding } = await import('../check/format.ts');
  const results = await runChecks(PRE_CHECKS, new CheckContext(cluster));
  const failed = results.flatMap(({ findings }) => findings).filter(({ level }) => level === 'failed');
  if (failed.length === 0) return;
  throw new CliError(
    `this cluster can't take it:\n${failed.map((finding) => formatFinding(finding, process.stderr)).join('\n')}`,
    'heddle check --pre shows all; --skip-checks installs all the same',
  );
}
