import { Command, InvalidArgumentError } from 'commander';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { paint, type Style } from '../terminal/colour.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { merge } from '../terminal/merge.ts';
import { printable } from '../terminal/printable.ts';
import { describeLine, type LogLine } from './log-line.ts';

interface LogFlags extends ClusterFlags {
  readonly output: Format;
  readonly follow?: boolean;
  readonly since?: number;
  readonly tail?: number;
  readonly refusals?: boolean;
}

/** Without `--since` or `--tail`, of each pod. */
const DEFAULT_TAIL = 200;

/** `heddle logs TARGET`. */
export function logsCommand(): Command {
  const command = new Command('logs')
    .description(
      "Shows what the operator, the webhook or a workload's sidecars log, and says in words what policies refused.",
    )
    .argument('<target>', 'operator, webhook, POD, NAMESPACE/WORKLOAD or deployment/NAME')
    .option('-f, --follow', 'go on as lines come')
    .option('--since <time>', 'only lines younger than this: 30s, 10m, 2h', readDuration)
    .option('--tail <lines>', 'of each pod only the last so many', readCount)
    .option('--refusals', 'only what policies refused')
    .addHelpText(
      'after',
      `\nWithout --since and --tail: the last ${DEFAULT_TAIL} lines of each pod. -o json gives lines as they were written, less the tokens in URLs.`,
    );
  return withOutputOption(withClusterOptions(command)).action(async (target: string, flags: LogFlags) => {
    const cluster = await connect(flags);
    const [{ findSources }, { readPodLog }] = await Promise.all([import('./sources.ts'), import('./pod-log.ts')]);
    const sources = await findSources(cluster.api, cluster.namespace, target);
    const signal = onInterrupt();
    const tailLines = flags.tail ?? (flags.since === undefined ? DEFAULT_TAIL : undefined);
    const options = { follow: flags.follow === true, sinceSeconds: flags.since, tailLines, signal };
    const streams = sources.map((source) => readPodLog(cluster.api, source, options));
    const print = (line: LogLine): void => {
      if (flags.refusals && !line.text.includes('"decided_by"')) return;
      console.log(formatLine(line, flags.output, sources.length > 1));
    };
    try {
      if (options.follow) for await (const line of merge(streams)) print(line);
      else for (const line of await inOrder(streams)) print(line);
    } finally {
      cluster.api.close();
    }
  });
}

/** Lines of several pods by the time at which they were written; those of one pod keep their order. */
async function inOrder(streams: readonly AsyncGenerator<LogLine>[]): Promise<LogLine[]> {
  const read = async (stream: AsyncGenerator<LogLine>): Promise<LogLine[]> => {
    const lines: LogLine[] = [];
    for await (const line of stream) lines.push(line);
    return lines;
  };
  const lines = await Promise.all(streams.map(read));
  return lines.flat().sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

const STYLES: readonly Style[] = ['cyan', 'green', 'yellow', 'blue'];

function formatLine(line: LogLine, output: Format, withPod: boolean): string {
  if (output === 'json') return JSON.stringify(line);
  if (output === 'yaml') return `---\n${formatObjects(line, 'yaml')}`;
  const text = printable(describeLine(line.text));
  const time = paint('dim', line.time.slice(11, 23));
  if (!withPod) return `${time}  ${text}`;
  const hash = [...line.pod].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0);
  return `${time}  ${paint(STYLES[hash % STYLES.length] ?? 'cyan', line.pod)}  ${text}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90s`, `10m`, `2h`, `1d`. */
export function readDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+)([smhd])?$/.exec(text) ?? [];
  if (amount === undefined || Number(amount) === 0) throw new InvalidArgumentError('Write it as 30s, 10m or 2h.');
  return Number(amount) * (UNITS[unit] ?? 1);
}

function readCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It must be a number of lines.');
  return count;
}
