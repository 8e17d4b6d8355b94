import { Command } from 'commander';
import type { TrustRotation, TrustRotationRoot } from '../../api/trust-rotation.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, listOf, withOutputOption } from '../output.ts';
import { formatTable } from '../terminal/table.ts';

interface StatusFlags extends ClusterFlags {
  readonly output: Format;
  readonly watch?: boolean;
}

const DAY_MS = 86_400_000;

/** `heddle cert status`. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('Says which root signs, and where rotations stand.')
    .argument('[name]', 'one TrustRotation')
    .option('-w, --watch', 'follow the rotation that is under way to its end: exit code 0 complete, 1 otherwise');
  return withOutputOption(withClusterOptions(command))
    .addHelpText('after', '\n  heddle cert status\n  heddle cert status --watch')
    .action(async (name: string | undefined, flags: StatusFlags) => {
      const [{ TRUST_ROTATION }, { followRotation, isOver }] = await Promise.all([
        import('../../kube/kinds.ts'),
        import('./follow.ts'),
      ]);
      const { api } = await connect(flags);
      const all = (await api.list<TrustRotation>(TRUST_ROTATION)).items;
      const items = name === undefined ? all : all.filter(({ metadata }) => metadata.name === name);
      if (items.length === 0) {
        throw name === undefined
          ? new CliError('there is no TrustRotation: the operator has no root yet', 'heddle check')
          : new CliError(
              `there is no TrustRotation ${name}`,
              `there are: ${all.map(({ metadata }) => metadata.name).join(', ')}`,
            );
      }
      const under = items.find((each) => !isOver(each));
      if (flags.watch) {
        if (under) await followRotation(api, under.metadata.name, 7 * DAY_MS, under.spec?.abort === true);
        else console.log('no rotation is under way');
      } else if (flags.output === 'json' || flags.output === 'yaml') {
        console.log(formatObjects(name === undefined ? listOf(items) : items[0], flags.output));
      } else console.log(await formatRotations(items, flags.output === 'wide'));
      api.close();
    });
}

/** A table of rotations, the newest last; whose message says what each waits for. */
async function formatRotations(rotations: readonly TrustRotation[], wide: boolean): Promise<string> {
  const { messageOf } = await import('./follow.ts');
  const born = ({ metadata, status }: TrustRotation) => status?.startedAt ?? metadata.creationTimestamp ?? '';
  const root = (of: TrustRotationRoot | undefined) =>
    of ? `${of.source ?? '?'} until ${of.expiresAt?.slice(0, 10) ?? '?'}` : '-';
  const rows = [...rotations]
    .sort((a, b) => born(a).localeCompare(born(b)))
    .map((rotation) => {
      const {
        phase = 'Pending',
        progress = '-',
        oldRoot,
        newRoot,
        startedAt = '-',
        completedAt = '-',
      } = rotation.status ?? {};
      const more = wide ? [startedAt, completedAt, newRoot?.fingerprint ?? '-'] : [];
      return [rotation.metadata.name, phase, progress, root(oldRoot), root(newRoot), ...more, messageOf(rotation)];
    });
  const more = wide ? ['started', 'completed', 'fingerprint'] : [];
  return formatTable(['name', 'phase', 'progress', 'old root', 'new root', ...more, 'message'], rows);
}
