import { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { nearest } from '../terminal/nearest.ts';
import { formatTable } from '../terminal/table.ts';

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const;

type LogFlags = ClusterFlags & { readonly output: Format };

/** `heddle proxy log-level POD [LEVEL | LOGGER:LEVEL ...]`. */
export function logLevelCommand(): Command {
  const command = new Command('log-level')
    .description(
      'Shows or sets how much a sidecar logs, until it restarts. Lines of debug and trace hold headers, with tokens in them.',
    )
    .argument('<pod>', 'POD, NAMESPACE/POD or deployment/NAME')
    .argument('[levels...]', 'a level for all loggers, or LOGGER:LEVEL for one; as http:debug')
    .addHelpText('after', `\nLevels: ${LEVELS.join(', ')}`);
  return withOutputOption(withClusterOptions(command)).action(
    async (pod: string, levels: readonly string[], flags: LogFlags) => {
      const changes = levels.flatMap((text) => text.split(',')).map(readLevel);
      const [{ findPod }, { adminOf }] = await Promise.all([import('../pods/find-pods.ts'), import('./admin.ts')]);
      const cluster = await connect(flags);
      const admin = adminOf(cluster, await findPod(cluster.api, cluster.namespace, pod));
      const post = (query: string) => admin.text({ method: 'POST', path: `/logging${query}` });
      try {
        const before = parseLevels(await post(''));
        for (const { logger } of changes) if (logger !== undefined) requireLogger(logger, before);
        let after = before;
        for (const { logger, level } of changes) after = parseLevels(await post(`?${logger ?? 'level'}=${level}`));
        const shown = changes.length === 0 ? after : changed(before, after);
        const { output } = flags;
        if (output === 'json' || output === 'yaml') console.log(formatObjects(Object.fromEntries(shown), output));
        else if (shown.size === 0) process.stderr.write('Every logger had that level already.\n');
        else console.log(formatTable(['logger', 'level'], [...shown]));
      } finally {
        admin.close();
        cluster.api.close();
      }
    },
  );
}

/** @throws {CliError} when it is no level */
export function readLevel(text: string): { readonly logger?: string; readonly level: string } {
  const [first = '', second] = text.split(':');
  const given = (second ?? first).toLowerCase();
  const level = given === 'warn' ? 'warning' : given;
  if (!LEVELS.some((one) => one === level)) {
    throw new CliError(`${given} is no level`, `levels are: ${LEVELS.join(', ')}`, 2);
  }
  return second === undefined ? { level } : { logger: first, level };
}

/** Reads Envoy's list: a title, then `  http: warning` lines. */
export function parseLevels(text: string): ReadonlyMap<string, string> {
  const lines = text.matchAll(/^\s+([\w.-]+):\s*(\w+)\s*$/gm);
  return new Map([...lines].map(([, logger = '', level = '']) => [logger, level]));
}

function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...after].filter(([logger, level]) => before.get(logger) !== level));
}

function requireLogger(logger: string, known: ReadonlyMap<string, string>): void {
  if (known.has(logger)) return;
  const alike = nearest(logger, known.keys());
  throw new CliError(
    `the sidecar has no logger ${logger}`,
    alike.length > 0 ? `did you mean ${alike.join(', or ')}?` : 'list them: heddle proxy log-level POD',
    2,
  );
}
