import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import type { Canary } from '../../api/canary.ts';
import { type Command as CanaryOrder, COMMAND_ANNOTATION } from '../../api/canary-command.ts';
import { CANARY } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { getCanary } from './find.ts';

const ABOUT: Readonly<Record<CanaryOrder, string>> = {
  promote:
    'Ends the analysis of the revision under way, and promotes it; hooks that confirm the promotion are still asked.',
  abort: 'Gives the revision under way up: all requests go to the stable one at once.',
  retry: 'Tries a revision anew that was given up.',
  pause: 'Has the release stand still with the weight it has.',
  resume: 'Has a paused release go on.',
};

/** The operator looks at a Canary at once when it changes; whoever has not answered after so long is away. */
const PATIENCE_MS = 30_000;
const POLL_MS = 200;

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
    const { api, namespace } = await connect(flags);
    const canary = await getCanary(api, namespace, name);
    const value = flags.revision === undefined ? order : `${order}/${flags.revision}`;
    const given = await giveOrder(api, canary, value);
    if (!flags.wait) return;
    const { result, message } = await awaitOutcome(api, given, value);
    if (result === 'Refused')
      throw new CliError(message, `heddle canary status ${name} -n ${namespace} tells where it stands`);
    console.log(message);
  });
}

/**
 * Writes the annotation that tells the operator.
 * @throws {CliError} while another order waits to be carried out
 */
export async function giveOrder(api: Pick<KubeApi, 'patch'>, canary: Canary, value: string): Promise<Canary> {
  const { name, namespace, resourceVersion, annotations = {} } = canary.metadata;
  const waiting = annotations[COMMAND_ANNOTATION];
  if (waiting !== undefined) {
    throw new CliError(
      `${waiting} waits to be carried out`,
      'see whether the operator runs: kubectl -n heddle-system get pods',
    );
  }
  const metadata = { resourceVersion, annotations: { [COMMAND_ANNOTATION]: value } };
  return api.patch<Canary>(CANARY, { name, namespace }, 'merge', { metadata }, { fieldManager: 'heddle-cli' });
}

/**
 * Waits until the status says what became of an order.
 * @param given the Canary as it was when the order was written
 * @throws {CliError} when nothing has after half a minute
 */
export async function awaitOutcome(api: Pick<KubeApi, 'get'>, given: Canary, value: string) {
  const { name, namespace } = given.metadata;
  const before = given.status?.command?.time;
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
    const { command } = (await api.get<Canary>(CANARY, { name, namespace })).status ?? {};
    if (command?.value === value && command.time !== before) return command;
  }
  throw new CliError(
    `nobody has carried out ${value} in ${PATIENCE_MS / 1000} s; it stays to be done`,
    'see whether the operator runs: kubectl -n heddle-system get pods',
    3,
  );
}
