import { Command, InvalidArgumentError } from 'commander';
import type { ControlPlaneView, ProxiesView } from '../../api/view/control-plane-view.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import type { OperatorClient } from '../forward/operator-client.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { formatMesh, isWell, type MeshStatus } from './mesh-status.ts';

interface StatusFlags extends ClusterFlags {
  readonly output: Format;
  readonly wait?: boolean;
  readonly timeout: number;
}

/** `heddle status`. */
export function statusCommand(): Command {
  const command = new Command('status')
    .alias('st')
    .description(
      'Says whether the mesh is well: the control plane, its certificates, and whether every sidecar has what it should.',
    )
    .option('--wait', 'wait until all is well, and end with code 1 when it is not in time')
    .option('--timeout <seconds>', 'how long to wait', readSeconds, 300)
    .addHelpText('after', '\nExit codes: 0 all is well, 1 something is not, 3 the operator does not answer.');
  return withOutputOption(withClusterOptions(command, true)).action(async (flags: StatusFlags) => {
    const cluster = await connect(flags);
    const { OperatorClient: Client } = await import('../forward/operator-client.ts');
    const operator = new Client(cluster);
    // Without a namespace it is about the whole mesh, for so is the control plane.
    const namespace = flags.allNamespaces || flags.namespace === undefined ? undefined : cluster.namespace;
    try {
      const status = flags.wait
        ? await awaitWell(operator, namespace, flags.timeout)
        : await readStatus(operator, namespace);
      const { output } = flags;
      console.log(
        output === 'json' || output === 'yaml'
          ? formatObjects(status, output)
          : formatMesh(status, { namespace, wide: output === 'wide' }),
      );
      if (!isWell(status)) process.exitCode = 1;
    } finally {
      operator.close();
      cluster.api.close();
    }
  });
}

async function readStatus(operator: OperatorClient, namespace: string | undefined): Promise<MeshStatus> {
  const query = namespace === undefined ? '' : `?${new URLSearchParams({ namespace })}`;
  const controlPlane = await operator.get<ControlPlaneView>('/api/control-plane');
  const proxies = await operator.get<ProxiesView>(`/api/proxies${query}`);
  return { controlPlane, proxies };
}

/** Asks each second until all is well, or the time is over; a restart of the operator is waited for too. */
async function awaitWell(
  operator: OperatorClient,
  namespace: string | undefined,
  seconds: number,
): Promise<MeshStatus> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  for (const end = Date.now() + seconds * 1000; ; await sleep(1000)) {
    try {
      const status = await readStatus(operator, namespace);
      if (isWell(status) || Date.now() >= end) return status;
    } catch (error) {
      if (Date.now() >= end) throw error;
    }
  }
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0 && seconds <= 86_400)) throw new InvalidArgumentError('It must be a number of seconds.');
  return seconds;
}
