import { Command } from 'commander';
import type { Command as CanaryOrder } from '../../api/canary-command.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';

const ABOUT: Readonly<Record<CanaryOrder, string>> = {
  promote:
    'Ends the analysis of the revision under way, and promotes it; hooks that confirm the promotion are still asked.',
  abort: 'Gives the revision under way up: all requests go to the stable one at once.',
  retry: 'Tries a revision anew that was given up.',
  pause: 'Has the release stand still with the weight it has.',
  resume: 'Has a paused release go on.',
};

interface OrderFlags extends ClusterFlags {
  readonly revision?: string;
  readonly wait: boolean;
}

/** `heddle canary promote`, `abort`, `retry`, `pause`, `resume`. */
export function orderCommand(order: CanaryOrder): Command {
  const command = new Command(order)
    .description(ABOUT[order])
    .argument('<name>', 'the Canary')
    .option('--revision <hash>', 'only if this is the revision under way')
    .option('--no-wait', 'do not wait for what becomes of it');
  return withClusterOptions(command).action(async (name: string, flags: OrderFlags) => {
    const [{ awaitOutcome, giveOrder }, { getCanary }] = await Promise.all([
      import('./control.ts'),
      import('./find.ts'),
    ]);
    const { api, namespace } = await connect(flags);
    const value = flags.revision === undefined ? order : `${order}/${flags.revision}`;
    const given = await giveOrder(api, () => getCanary(api, namespace, name), value);
    if (!flags.wait) return;
    const { result, message } = await awaitOutcome(api, given, value);
    if (result === 'Refused')
      throw new CliError(message, `heddle canary status ${name} -n ${namespace} tells where it stands`);
    console.log(message);
  });
}
