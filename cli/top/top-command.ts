import { setTimeout as sleep } from 'node:timers/promises';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { RefusalsView } from '../../api/view/control-plane-view.ts';
import type { GraphView } from '../../api/view/graph-view.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import type { OperatorClient } from '../forward/operator-client.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { readFigures, SORTS, type Sort, SUBJECTS, type Subject } from './figures.ts';
import { formatFigures, formatHead } from './format.ts';
import { formatRefusals, nothingRefused } from './refusals.ts';
import { type Screen, showOn } from './screen.ts';

const REFUSALS = 'refusals';

type Shown = Subject | typeof REFUSALS;

interface TopFlags extends ClusterFlags {
  readonly output: Format;
  readonly sort: Sort;
  readonly window: number;
  readonly interval: number;
  readonly once?: boolean;
}

/** `heddle top`. */
export function topCommand(): Command {
  const command = new Command('top')
    .description(
      'Shows how much is asked, how fast it is answered, how often it fails, how full everything is, and what policies refuse.',
    )
    .addArgument(
      new Argument('[subject]', 'what there is a line for').choices([...SUBJECTS, REFUSALS]).default('workloads'),
    )
    .addOption(new Option('--sort <figure>', 'the most of this first').choices(SORTS).default('rate'))
    .option('--window <seconds>', 'over how long', readSeconds, 60)
    .option('--interval <seconds>', 'how often it is asked anew', readSeconds, 5)
    .option('--once', 'once, and not live; so it is where nobody watches');
  return withOutputOption(withClusterOptions(command, true)).action(async (subject: Shown, flags: TopFlags) => {
    if (subject === REFUSALS && command.getOptionValueSource('sort') === 'cli') {
      throw new CliError('refusals have none of the figures of --sort', 'leave it out: the most comes first', 2);
    }
    const cluster = await connect(flags);
    const { OperatorClient: Client } = await import('../forward/operator-client.ts');
    const operator = new Client(cluster);
    const namespace = flags.allNamespaces ? undefined : cluster.namespace;
    const live =
      flags.once !== true && process.stdout.isTTY === true && flags.output !== 'json' && flags.output !== 'yaml';
    try {
      const lines = (signal?: AbortSignal) => ask(operator, subject, namespace, flags, signal);
      if (live) await watch(lines, flags);
      else console.log((await lines()).join('\n'));
    } finally {
      operator.close();
      cluster.api.close();
    }
  });
}

/** Asks, and gives the lines that are shown. */
async function ask(
  operator: OperatorClient,
  subject: Shown,
  namespace: string | undefined,
  flags: TopFlags,
  signal?: AbortSignal,
): Promise<string[]> {
  const query = new URLSearchParams({ seconds: `${flags.window}`, ...(namespace === undefined ? {} : { namespace }) });
  if (subject !== REFUSALS)
    return format(await operator.get<GraphView>(`/api/graph?${query}`, signal), subject, namespace, flags);
  const view = await operator.get<RefusalsView>(`/api/refusals?${query}`, signal);
  const { output } = flags;
  if (output === 'json' || output === 'yaml') return [formatObjects(view, output)];
  const table = view.refusals.length === 0 ? nothingRefused(view, namespace) : formatRefusals(view, namespace);
  return [...formatHead(view), table];
}

function format(graph: GraphView, subject: Subject, namespace: string | undefined, flags: TopFlags): string[] {
  const lines = readFigures(graph, subject, flags.sort, namespace);
  const { output } = flags;
  if (output === 'json' || output === 'yaml') {
    const { at, seconds, source, complete, missing } = graph;
    return [formatObjects({ at, seconds, source, complete, missing, [subject]: lines }, output)];
  }
  const nothing = `No ${subject}${namespace === undefined ? '' : ` in namespace ${namespace}; -A shows all`}.`;
  return [...formatHead(graph), lines.length === 0 ? nothing : formatFigures(lines, subject, output === 'wide')];
}

/** Until Ctrl-C. What fails in the midst is told, and tried again: an operator that restarts is no reason to end. */
async function watch(lines: (signal?: AbortSignal) => Promise<string[]>, flags: TopFlags): Promise<void> {
  // What fails at once is wrong in a way that waiting does not help.
  let text = await lines();
  const signal = onInterrupt();
  const screen: Screen = showOn(process.stdout);
  try {
    while (!signal.aborted) {
      screen.draw(text.join('\n').split('\n'));
      await sleep(flags.interval * 1000, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      text = await lines(signal).catch((error: Error) => [`${error.message}; asking again ...`, ...text.slice(1)]);
    }
  } finally {
    screen.end();
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 3600)) throw new InvalidArgumentError('It must be from 1 to 3600 seconds.');
  return seconds;
}
