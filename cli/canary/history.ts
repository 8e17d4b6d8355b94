import { Command } from 'commander';
import type { PastRelease } from '../../api/canary-history.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { paint, type Style } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';

const STYLES: Readonly<Record<string, Style>> = { Promoted: 'green', ReleasedUntried: 'yellow', GivenUp: 'red' };

/** `heddle canary history NAME`. */
export function historyCommand(): Command {
  const command = new Command('history')
    .description('Lists the last ten releases, how each ended and why.')
    .argument('<name>', 'the Canary');
  return withOutputOption(withClusterOptions(command)).action(
    async (name: string, flags: ClusterFlags & { readonly output: Format }) => {
      const { getCanary } = await import('./find.ts');
      const { api, namespace } = await connect(flags);
      const releases = (await getCanary(api, namespace, name)).status?.history ?? [];
      if (flags.output === 'json' || flags.output === 'yaml') console.log(formatObjects(releases, flags.output));
      else if (releases.length === 0) process.stderr.write(`Canary ${name} has not seen a release yet.\n`);
      else console.log(formatHistory(releases));
    },
  );
}

/** The table of releases, in the order they are given. */
export function formatHistory(releases: readonly PastRelease[]): string {
  const rows = releases.map(
    ({ revision, stableRevision = '-', startTime, endTime, outcome = 'under way', message = '' }) => {
      const style = STYLES[outcome];
      const ended = style === undefined ? outcome : paint(style, outcome);
      return [revision, stableRevision, startTime, duration(startTime, endTime), ended, message];
    },
  );
  return formatTable(['revision', 'replaces', 'began', 'took', 'outcome', 'message'], rows);
}

/** As kubectl writes ages. */
function duration(from: string, to: string | undefined): string {
  if (to === undefined) return '-';
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120
    ? `${minutes}m${seconds % 60 === 0 ? '' : `${seconds % 60}s`}`
    : `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}
