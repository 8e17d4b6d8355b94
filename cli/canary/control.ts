import { setTimeout as sleep } from 'node:timers/promises';
import type { Canary } from '../../api/canary.ts';
import { COMMAND_ANNOTATION } from '../../api/canary-command.ts';
import { CANARY } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isConflict } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';

/** The operator looks at a Canary at once when it changes; whoever has not answered after so long is away. */
const PATIENCE_MS = 30_000;
const POLL_MS = 200;
/** Writes of a status are seconds apart; so many in the midst of read and write say that something else is wrong. */
const ATTEMPTS = 10;

/**
 * Writes the annotation that tells the operator. The version that was read goes with it, so that no other order is written over; the operator
 * writes the status of a release all the time, so a version that has passed is read anew.
 * @param read gives the Canary as it is now
 * @throws {CliError} while another order waits to be carried out
 */
export async function giveOrder(
  api: Pick<KubeApi, 'patch'>,
  read: () => Promise<Canary>,
  value: string,
): Promise<Canary> {
  for (let attempt = 1; ; attempt++) {
    const { metadata, status } = await read();
    const { name, namespace, resourceVersion, annotations = {} } = metadata;
    const waiting = annotations[COMMAND_ANNOTATION];
    if (waiting === undefined) {
      const given = { metadata: { resourceVersion, annotations: { [COMMAND_ANNOTATION]: value } } };
      try {
        return await api.patch<Canary>(CANARY, { name, namespace }, 'merge', given, { fieldManager: 'heddle-cli' });
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    } else if (status?.command?.value !== waiting || attempt === ATTEMPTS) {
      throw new CliError(
        `${waiting} waits to be carried out`,
        'see whether the operator runs: kubectl -n heddle-system get pods',
      );
    } else {
      // It has been carried out, and the operator is about to take it away.
      await sleep(POLL_MS);
    }
  }
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
