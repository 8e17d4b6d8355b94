import { Command, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { withClusterOptions } from '../cluster-options.ts';
import { paint } from '../terminal/colour.ts';
import type { ObjectReport, StreamEdit } from './edit-stream.ts';
import type { SettingsFlags } from './injection-settings.ts';

interface FileFlags {
  readonly filename?: readonly string[];
}

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

function withFiles(command: Command): Command {
  return command
    .argument('[files...]', 'YAML or JSON files, folders of them, or - for standard input')
    .option('-f, --filename <file>', 'the same, as kubectl has it', collect);
}

/** `heddle inject`. */
export function injectCommand(): Command {
  const command = new Command('inject').description(
    'Adds the sidecar to workloads in YAML files, as the webhook does to pods when they are made.',
  );
  withFiles(command)
    .option('--mesh-config <file>', "the mesh's settings, or the word default; the cluster is asked unless told")
    .addOption(new Option('--ipv6', 'beside --mesh-config: pods have IPv6 addresses').default(false));
  return withClusterOptions(command)
    .addHelpText(
      'after',
      `
The namespace needs no label for pods that are injected here; where it has one, the webhook changes nothing in them.
Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod and Lists of them are injected; all other documents
stay byte by byte. Workloads that opted out (heddle.dev/inject: "false") or share their node's network are left alone.
YAML goes to standard output, what was done to standard error. Nothing is written when one can't be injected.

Canaries hold back new revisions only in namespaces that are labelled: there the webhook adds their gate.

  heddle inject deployment.yaml | kubectl apply -f -
  kubectl get deployment -n shop -o yaml | heddle inject - | kubectl apply -f -
  heddle inject -f manifests/ --mesh-config config/mesh.yaml > injected.yaml   # asks no cluster
  heddle uninject injected.yaml                                                # gives back what it was`,
    )
    .action(async (files: readonly string[], flags: SettingsFlags & FileFlags) => {
      const names = filesOf(files, flags, 'inject');
      const { injectionSettings } = await import('./injection-settings.ts');
      const settings = await injectionSettings(flags);
      const { injectStream } = await import('./edit-stream.ts');
      await editFiles(names, (text, file) => injectStream(text, file, settings));
    });
}

/** `heddle uninject`. */
export function uninjectCommand(): Command {
  const command = new Command('uninject').description(
    'Takes the sidecar out of workloads in YAML files again: what heddle inject made becomes what it was made of.',
  );
  return withFiles(command)
    .addHelpText(
      'after',
      `
Also of pods that the webhook injected (kubectl get pod -o yaml). No cluster is asked.

  heddle uninject injected.yaml > plain.yaml
  kubectl get deployment ui -n shop -o yaml | heddle uninject - | kubectl apply -f -`,
    )
    .action(async (files: readonly string[], flags: FileFlags) => {
      const names = filesOf(files, flags, 'uninject');
      const { uninjectStream } = await import('./edit-stream.ts');
      await editFiles(names, uninjectStream);
    });
}

function filesOf(files: readonly string[], { filename = [] }: FileFlags, verb: string): readonly string[] {
  const names = [...files, ...filename];
  if (names.length > 0) return names;
  throw new CliError('no file is given', `heddle ${verb} FILE, or - to read standard input`, 2);
}

async function editFiles(
  names: readonly string[],
  edit: (text: string, file: string) => Promise<StreamEdit>,
): Promise<void> {
  const { readFiles } = await import('./read-files.ts');
  const reports: ObjectReport[] = [];
  let output = '';
  for (const { name, text } of await readFiles(names)) {
    const result = await edit(text, name);
    reports.push(...result.reports);
    const separator = output === '' || result.text.startsWith('---') ? '' : '---\n';
    output += (output === '' || output.endsWith('\n') ? '' : '\n') + separator + result.text;
  }
  const refused = reports.filter(({ outcome }) => outcome === 'refused');
  if (refused.length > 0) {
    const problems = refused.flatMap(({ title, notes }) => notes.map((note) => `${title}: ${note}`));
    throw new CliError(`nothing is written, as these can't get a sidecar:\n  ${problems.join('\n  ')}`);
  }
  process.stdout.write(output);
  for (const report of reports) process.stderr.write(`${formatReport(report)}\n`);
  if (reports.length === 0) process.stderr.write('nothing in it makes pods; it is unchanged\n');
}

/** `✓ Deployment shop/ui injected`. */
export function formatReport({ title, outcome, notes }: ObjectReport): string {
  const { stderr } = process;
  const isLeft = outcome === 'skipped';
  const mark = isLeft ? paint('dim', '-', stderr) : paint('green', '✓', stderr);
  const first = `${mark} ${title} ${outcome}${isLeft ? `: ${notes.join('; ')}` : ''}`;
  const warnings = isLeft ? [] : notes.map((note) => `  ${paint('yellow', '!', stderr)} ${note}`);
  return [first, ...warnings].join('\n');
}
