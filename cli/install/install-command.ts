import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type Cluster, connect, withClusterOptions } from '../cluster-options.ts';
import { paint } from '../terminal/colour.ts';
import { type ChoiceFlags, readChoices, withChoiceOptions } from './install-options.ts';

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

async function printManifests(flags: InstallFlags): Promise<void> {
  const [{ clientVersion }, { readBase, readIstioDefinitions }, { customize }, { stringify }, choose] =
    await Promise.all([
      import('./home.ts'),
      import('./manifests.ts'),
      import('./customize.ts'),
      import('yaml'),
      readChoices(flags),
    ]);
  const objects = customize(await readBase(), choose(), await clientVersion());
  let separator = '';
  const print = (object: object): void => {
    process.stdout.write(separator + stringify(object, { lineWidth: 0 }));
    separator = '---\n';
  };
  // One after the other, for all of them together take a second.
  if (flags.istioCrds) for await (const object of readIstioDefinitions()) print(object);
  for (const object of objects) print(object);
  if (flags.istioCrds) {
    process.stderr.write(
      `${paint('yellow', 'note:', process.stderr)} with Istio's definitions; heddle install leaves out those a cluster has\n`,
    );
  }
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
