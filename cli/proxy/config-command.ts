import { Command, InvalidArgumentError, Option } from 'commander';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { paint } from '../terminal/colour.ts';
import { nearest } from '../terminal/nearest.ts';
import { formatTable } from '../terminal/table.ts';
import type { ProxyConfig } from './config-dump.ts';
import { withoutKeys } from './keyless.ts';
import { loadsOnDemand } from './loading.ts';
import { type Filters, isWanted } from './section.ts';
import { readSectionName, SECTIONS, type SectionName } from './sections.ts';

type ConfigFlags = ClusterFlags & Filters & { readonly output: Format };

/** `heddle proxy config POD [KIND]`. */
export function configCommand(): Command {
  const command = new Command('config')
    .description('Shows the configuration that a sidecar has at this moment, read from the sidecar itself.')
    .argument('<pod>', 'POD, NAMESPACE/POD or deployment/NAME')
    .argument('[kind]', 'listeners, routes, clusters, endpoints, secrets, bootstrap or all', 'all')
    .option('--port <number>', 'only what is about this port', readPort)
    .option('--fqdn <host>', 'only what is about this host; a first part of the name will do')
    .option('--subset <name>', 'only clusters and endpoints of this subset')
    .addOption(new Option('--direction <direction>', 'only this side').choices(['inbound', 'outbound']));
  return withOutputOption(withClusterOptions(command)).action(async (pod: string, word: string, flags: ConfigFlags) => {
    const kind = readSectionName(word);
    if (kind === undefined) throw unknownKind(word);
    const [{ findPod }, { adminOf }, { readProxyConfig }] = await Promise.all([
      import('../pods/find-pods.ts'),
      import('./admin.ts'),
      import('./config-dump.ts'),
    ]);
    const cluster = await connect(flags);
    const admin = adminOf(cluster, await findPod(cluster.api, cluster.namespace, pod));
    try {
      const config = await readProxyConfig(admin);
      console.log(
        flags.output === 'json' || flags.output === 'yaml'
          ? formatRaw(config, kind, flags)
          : formatConfig(config, kind, flags),
      );
      const note = loadingNote(config, kind);
      if (note !== undefined) process.stderr.write(`${paint('dim', '-', process.stderr)} ${note}\n`);
    } finally {
      admin.close();
      cluster.api.close();
    }
  });
}

const asked = (kind: SectionName | 'bootstrap' | 'all'): SectionName[] => {
  if (kind === 'all') return Object.keys(SECTIONS) as SectionName[];
  return kind === 'bootstrap' ? [] : [kind];
};

/** Says of a sidecar with configuration on demand that what its pod has not used is not there; undefined where nothing may be missed. */
export function loadingNote(config: ProxyConfig, kind: SectionName | 'bootstrap' | 'all'): string | undefined {
  if (!['routes', 'clusters', 'endpoints', 'all'].includes(kind) || !loadsOnDemand(config)) return undefined;
  return 'It is sent routes, clusters and endpoints when its pod first uses them (configurationLoading: on-demand): what was not used is not here.';
}

/** Tables, with a title where there are several. The bootstrap has no table: it is one object. */
export function formatConfig(config: ProxyConfig, kind: SectionName | 'bootstrap' | 'all', flags: ConfigFlags): string {
  if (kind === 'bootstrap') return formatObjects(withoutKeys(config.bootstrap), 'yaml');
  const wide = flags.output === 'wide';
  const filtered = [flags.port, flags.fqdn, flags.subset, flags.direction].some((filter) => filter !== undefined);
  return asked(kind)
    .flatMap((name) => {
      const section = SECTIONS[name];
      const lines = section.lines(config).filter((line) => isWanted(line, flags));
      if (kind === 'all' && filtered && lines.length === 0) return [];
      const rows = lines.map(({ cells, wide: more }) => (wide ? [...cells, ...more] : cells));
      const table = formatTable(wide ? [...section.header, ...section.wide] : section.header, rows);
      return [kind === 'all' ? `${paint('bold', name.toUpperCase())} (${lines.length})\n${table}\n` : table];
    })
    .join('\n')
    .trimEnd();
}

/** Resources as Envoy has them, less private keys; of secrets only what may be known. */
export function formatRaw(config: ProxyConfig, kind: SectionName | 'bootstrap' | 'all', flags: ConfigFlags): string {
  const format = flags.output === 'yaml' ? 'yaml' : 'json';
  if (kind === 'bootstrap') return formatObjects(withoutKeys(config.bootstrap), format);
  const parts = asked(kind).map((name) => {
    const lines = SECTIONS[name].lines(config).filter((line) => isWanted(line, flags));
    return [name, [...new Set(lines.map(({ raw }) => raw))].map(withoutKeys)] as const;
  });
  if (kind !== 'all') return formatObjects(parts[0]?.[1] ?? [], format);
  return formatObjects({ ...Object.fromEntries(parts), bootstrap: withoutKeys(config.bootstrap) }, format);
}

function readPort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new InvalidArgumentError('It is no port.');
  return port;
}

function unknownKind(word: string): CliError {
  const names = [...Object.keys(SECTIONS), 'bootstrap', 'all'];
  const [alike] = nearest(word, names, 1);
  const next = alike === undefined ? `there are: ${names.join(', ')}` : `did you mean ${alike}?`;
  return new CliError(`${word} is no kind of configuration`, next, 2);
}
