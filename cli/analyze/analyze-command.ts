import { Command, Option } from 'commander';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { formatObjects } from '../output.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';
import { CODES, isAtLeast, LEVELS, type Level } from './codes.ts';
import { type Message, messageDetails, messageJson, messageLine } from './message.ts';

interface AnalyzeFlags extends ClusterFlags {
  readonly useCluster?: boolean;
  readonly outputThreshold: Level;
  readonly failureThreshold: Level;
  readonly suppress: readonly string[];
  readonly list?: boolean;
  readonly output: 'log' | 'wide' | 'json' | 'yaml';
}

const levelOption = (flags: string, text: string, level: Level): Option =>
  new Option(`${flags} <level>`, text)
    .argParser((value: string) => LEVELS.find((one) => one.toLowerCase() === value.toLowerCase()) ?? value)
    .default(level, level);

/** `heddle analyze [FILES...]`. */
export function analyzeCommand(): Command {
  const command = new Command('analyze')
    .description('Looks for what is wrong, or dubious, in the cluster or in files, before it is felt.')
    .argument('[files...]', 'YAML files, or folders of them; - reads standard input; without any, the cluster')
    .option('--use-cluster', 'files over what the cluster has: as if they were applied')
    .addOption(levelOption('--output-threshold', 'what is told: this level and worse', 'Info'))
    .addOption(levelOption('--failure-threshold', 'exit code 1 from this level on', 'Error'))
    .addOption(
      new Option(
        '-S, --suppress <code=object>',
        'leaves a message out: IST0102=Namespace/*; may be given several times',
      )
        .argParser((value: string, before: readonly string[]) => [...before, value])
        .default([] as readonly string[], 'none'),
    )
    .option('-L, --list', 'the codes there are')
    .addOption(
      new Option('-o, --output <format>', 'how to show it').choices(['log', 'wide', 'json', 'yaml']).default('log'),
    )
    .addHelpText(
      'after',
      `
Codes that begin with IST are Istio's, and mean the same; those with HED are Heddle's own.

  heddle analyze -n shop
  heddle analyze -A --failure-threshold Warning
  heddle analyze routes.yaml policies/ --use-cluster
  kubectl kustomize . | heddle analyze -
  heddle analyze -A --suppress 'IST0102=Namespace/*' -o json

Exit code 0: nothing of the failure threshold or worse; 1: something; 2: wrong use; 3: the cluster can't be asked.`,
    );
  return withClusterOptions(command, true).action(async (files: readonly string[], flags: AnalyzeFlags) => {
    if (flags.list) return console.log(formatCodes());
    const { analyzePlaces, readLevel } = await import('./analyze-places.ts');
    const [told, failing] = [readLevel(flags.outputThreshold), readLevel(flags.failureThreshold)];
    const { messages, notes, where } = await analyzePlaces(files, flags, () => connect(flags));
    const shown = messages.filter(({ level }) => isAtLeast(level, told));
    for (const note of notes) process.stderr.write(`${paint('yellow', 'note:', process.stderr)} ${note}\n`);
    const { output } = flags;
    if (output === 'json' || output === 'yaml') console.log(formatObjects(shown.map(messageJson), output));
    else
      console.log(
        shown.length === 0
          ? `${paint('green', '✔')} No validation issues found when analyzing ${where}.`
          : shown.map((message) => paintedLine(message, output === 'wide')).join('\n'),
      );
    process.exitCode = messages.some(({ level }) => isAtLeast(level, failing)) ? 1 : 0;
  });
}

const COLOURS = { Error: 'red', Warning: 'yellow', Info: 'dim' } as const;

function paintedLine(message: Message, isWide: boolean): string {
  const line = messageLine(message).replace(message.level, paint(COLOURS[message.level], message.level));
  return isWide ? `${line}\n  ${paint('dim', messageDetails(message))}` : line;
}

function formatCodes(): string {
  return formatTable(
    ['code', 'level', 'name'],
    Object.entries(CODES).map(([code, { level, name }]) => [code, level, name]),
  );
}
