import { Command } from 'commander';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import type { Description } from './words.ts';

interface DescribeFlags extends ClusterFlags {
  readonly output: Format;
  readonly live: boolean;
}

/** `heddle describe pod|service NAME`. */
export function describeCommand(): Command {
  const command = new Command('describe').description(
    'Says in words what the mesh does with a pod or a Service, and why.',
  );
  command.addCommand(podCommand());
  command.addCommand(serviceCommand());
  return command;
}

function podCommand(): Command {
  const command = describing('pod', 'a pod: POD, NAMESPACE/POD, or deploy/NAME for one of its pods')
    .alias('po')
    .description('A pod: its sidecar, ports, mutual TLS, policies, and what is wrong with it.')
    .addHelpText(
      'after',
      '\n  heddle describe pod ordering-7f9c-x2 -n shop\n  heddle describe pod deploy/ordering -n shop -o json',
    );
  return command.action(async (name: string, flags: DescribeFlags) => {
    const { describePodIn } = await import('./describe-in-cluster.ts');
    const { formatPod } = await import('./words.ts');
    show(await describePodIn(await connect(flags), name, flags.live), flags.output, formatPod);
  });
}

function serviceCommand(): Command {
  const command = describing('service', 'a Service: NAME, NAMESPACE/NAME or NAME.NAMESPACE')
    .alias('svc')
    .description(
      'A Service: its ports and protocols, endpoints, policies of its pods, routes, subsets, and what is wrong with it.',
    )
    .addHelpText('after', '\n  heddle describe service ordering -n shop\n  heddle describe svc shop/ordering -o yaml');
  return command.action(async (name: string, flags: DescribeFlags) => {
    const { describeServiceIn } = await import('./describe-in-cluster.ts');
    const { formatService } = await import('./words.ts');
    show(await describeServiceIn(await connect(flags), name, flags.live), flags.output, formatService);
  });
}

function describing(what: string, argument: string): Command {
  const command = new Command(what)
    .argument('<name>', argument)
    .option('--no-live', "don't look at what sidecars have at this moment");
  return withOutputOption(withClusterOptions(command));
}

function show<T extends object>(
  description: Description<T>,
  output: Format,
  format: (description: Description<T>) => string,
): void {
  const { described, messages, live, notes } = description;
  console.log(
    output === 'json' || output === 'yaml'
      ? formatObjects({ ...described, messages, live, notes }, output)
      : format(description),
  );
}
