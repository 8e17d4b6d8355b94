import { Command } from 'commander';
import type { Canary } from '../../api/canary.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, listOf, withOutputOption } from '../output.ts';
import { formatTable } from '../terminal/table.ts';
import { paintPhase } from './phase.ts';

/** `heddle canary list`. */
export function listCommand(): Command {
  const command = new Command('list').alias('ls').description('Lists canaries and where each stands.');
  return withOutputOption(withClusterOptions(command, true)).action(
    async (flags: ClusterFlags & { readonly output: Format }) => {
      const { CANARY } = await import('../../kube/kinds.ts');
      const { api, namespace } = await connect(flags);
      const { items } = await api.list<Canary>(CANARY, { namespace: flags.allNamespaces ? undefined : namespace });
      if (flags.output === 'json' || flags.output === 'yaml') {
        console.log(formatObjects(listOf(items), flags.output));
      } else if (items.length === 0) {
        process.stderr.write(`No canaries found${flags.allNamespaces ? '' : ` in namespace ${namespace}`}.\n`);
      } else {
        console.log(formatCanaries(items, flags.output === 'wide', flags.allNamespaces === true));
      }
    },
  );
}

/** The table of canaries; `wide` adds revisions and the reason they wait. */
export function formatCanaries(canaries: readonly Canary[], wide: boolean, withNamespace: boolean): string {
  const header = [
    ...(withNamespace ? ['namespace'] : []),
    ...['name', 'target', 'phase', 'weight', 'success', 'p99', 'requests', 'verdict'],
    ...(wide ? ['stable', 'new', 'message'] : []),
  ];
  const rows = [...canaries]
    .sort(byName)
    .map(({ metadata, spec, status = {} }) => [
      ...(withNamespace ? [metadata.namespace] : []),
      metadata.name,
      `${spec.targetRef.kind}/${spec.targetRef.name}`,
      paintPhase(status.phase ?? 'Unknown'),
      `${status.weight ?? 0}%`,
      status.metrics?.successRate ?? '-',
      status.metrics?.p99 ?? '-',
      `${status.metrics?.requests ?? '-'}`,
      status.verdict ?? '-',
      ...(wide ? [status.stableRevision ?? '-', status.canaryRevision ?? '-', messageOf(status)] : []),
    ]);
  return formatTable(header, rows);
}

/** The one sentence that says what goes on. */
export function messageOf({ conditions = [] }: NonNullable<Canary['status']>): string {
  const said = (type: string) => conditions.find((condition) => condition.type === type);
  const wrong = ['Accepted', 'TargetReady'].map(said).find((condition) => condition?.status === 'False');
  return (wrong ?? said('Progressing'))?.message ?? 'the operator has not looked at it yet';
}

function byName(a: Canary, b: Canary): number {
  return `${a.metadata.namespace}/${a.metadata.name}`.localeCompare(`${b.metadata.namespace}/${b.metadata.name}`);
}
