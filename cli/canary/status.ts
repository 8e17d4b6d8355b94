import { Command } from 'commander';
import type { Canary } from '../../api/canary.ts';
import type { AnalysisRound } from '../../api/canary-round.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';
import { messageOf } from './list.ts';
import { paintPhase } from './phase.ts';

interface StatusFlags extends ClusterFlags {
  readonly output: Format;
  readonly watch?: boolean;
}

/** `heddle canary status NAME`. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('Says where a release stands and why.')
    .argument('<name>', 'the Canary')
    .option('-w, --watch', 'go on until the release has come to its end: exit code 0 promoted, 1 given up');
  return withOutputOption(withClusterOptions(command)).action(async (name: string, flags: StatusFlags) => {
    const [{ getCanary }, { watchCanary }] = await Promise.all([import('./find.ts'), import('./watch.ts')]);
    const { api, namespace } = await connect(flags);
    const canary = await getCanary(api, namespace, name);
    if (flags.output === 'json' || flags.output === 'yaml') console.log(formatObjects(canary, flags.output));
    else console.log(formatStatus(canary));
    if (!flags.watch) return;
    const end = await watchCanary(api, canary, (line) => console.log(line));
    process.exitCode = end === 'Failed' ? 1 : 0;
  });
}

/** A Canary in words: where it stands, both revisions side by side, and every condition. */
export function formatStatus({ metadata, spec, status = {} }: Canary): string {
  const { phase = 'Unknown', weight = 0, stableRevision = '-', canaryRevision } = status;
  const head = [
    `${paint('bold', `${metadata.namespace}/${metadata.name}`)}  ${paintPhase(phase)}  ${spec.targetRef.kind}/${spec.targetRef.name}`,
    messageOf(status),
  ];
  const figures = (of: typeof status.metrics) => [of?.successRate ?? '-', of?.p99 ?? '-', `${of?.requests ?? '-'}`];
  const revisions = formatTable(
    ['revision', '', 'weight', 'success', 'p99', 'requests'],
    [
      [stableRevision, 'stable', `${100 - weight}%`, ...figures(status.stableMetrics)],
      ...(canaryRevision === undefined ? [] : [[canaryRevision, 'new', `${weight}%`, ...figures(status.metrics)]]),
    ],
  );
  const conditions = formatTable(
    ['condition', 'status', 'reason', 'message'],
    (status.conditions ?? []).map(({ type, status: value, reason, message }) => [type, value, reason, message]),
  );
  return [...head, '', revisions, ...formatRounds(status.rounds ?? []), '', conditions].join('\n');
}

/** The last checks, metric by metric. */
function formatRounds(rounds: readonly AnalysisRound[]): string[] {
  if (rounds.length === 0) return [];
  const rows = rounds.flatMap(({ time, step, verdict, message = '', metrics = [], inputs }) => {
    const check = [time, `${step + 1}`, `${inputs.weight}%`];
    if (metrics.length === 0) return [[...check, '-', '-', '-', '-', verdict, message]];
    return metrics.map((one) => [
      ...check,
      ...[one.name, `${one.value ?? '-'}`, `${one.stableValue ?? '-'}`, `${one.samples ?? '-'}`, one.verdict],
      one.message ?? '',
    ]);
  });
  const header = ['check', 'step', 'weight', 'metric', 'new', 'stable', 'samples', 'verdict', 'message'];
  return ['', formatTable(header, rows)];
}
