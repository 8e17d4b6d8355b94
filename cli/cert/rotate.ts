import { Command, Option } from 'commander';
import type { TrustRotation } from '../../api/trust-rotation.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';

interface RotateFlags extends ClusterFlags {
  readonly wait: boolean;
  readonly abort?: boolean;
  readonly timeout: string;
}

/** `heddle cert rotate`. */
export function rotateCommand(): Command {
  const command = new Command('rotate')
    .description('Replaces the root of the mesh step by step, with no moment in which two proxies can not agree.')
    .argument('[name]', 'of the TrustRotation; one is made up unless told')
    .option('--abort', 'go back to the old root, of the rotation that is under way or named')
    .option('--no-wait', 'do not wait for its end')
    .addOption(new Option('--timeout <duration>', 'how long to wait').default('1h'));
  return withClusterOptions(command)
    .addHelpText(
      'after',
      `
All proxies first learn to trust the new root, then get certificates of it, then forget the old one. That takes some
minutes, and longer while proxies are cut off. Until the old one is forgotten --abort leads back.
A CA of your own goes into the Secret cacerts of heddle-system; the operator rotates to it by itself.

  heddle cert rotate
  heddle cert rotate --no-wait && heddle cert status --watch
  heddle cert rotate --abort`,
    )
    .action(async (name: string | undefined, flags: RotateFlags) => {
      const [{ TRUST_ROTATION }, { followRotation, isOver }, { readTimeout }] = await Promise.all([
        import('../../kube/kinds.ts'),
        import('./follow.ts'),
        import('../install/wait.ts'),
      ]);
      const timeoutMs = readTimeout(flags.timeout);
      const { api } = await connect(flags);
      const { items } = await api.list<TrustRotation>(TRUST_ROTATION);
      const under = items.filter((each) => !isOver(each));
      const options = { fieldManager: 'heddle-cli' };
      let rotation: TrustRotation;
      if (flags.abort) {
        const found = name === undefined ? under[0] : items.find(({ metadata }) => metadata.name === name);
        if (!found)
          throw new CliError(
            name === undefined ? 'no rotation is under way' : `there is no TrustRotation ${name}`,
            'heddle cert status shows all',
          );
        const body = { spec: { abort: true } };
        rotation = await api.patch<TrustRotation>(TRUST_ROTATION, found.metadata, 'merge', body, options);
      } else {
        const [busy] = under;
        if (busy)
          throw new CliError(
            `TrustRotation ${busy.metadata.name} is under way`,
            'heddle cert status --watch follows it; --abort leads back',
          );
        const metadata = { name: name ?? `by-hand-${Date.now().toString(36)}` };
        rotation = await api.create<TrustRotation>(TRUST_ROTATION, { metadata }, options);
      }
      console.log(`TrustRotation ${rotation.metadata.name}: ${flags.abort ? 'is asked to go back' : 'is begun'}`);
      if (flags.wait) await followRotation(api, rotation.metadata.name, timeoutMs, flags.abort === true);
      api.close();
    });
}
