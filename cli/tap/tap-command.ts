import { Command, InvalidArgumentError, Option } from 'commander';
import type { PodFacts } from '../../operator/mesh/pod.ts';
import { type Cluster, type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import type { Direction } from '../proxy/section.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { Attempts } from './attempts.ts';
import { formatRequest, type ShownRequest } from './format.ts';
import { buildTapRequest, type TapFilters } from './tap-request.ts';

/** So many sidecars are watched at once. */
const MAX_PODS = 10;

interface TapFlags extends ClusterFlags, TapFilters {
  readonly output: Format;
  readonly from?: string;
  readonly direction?: Direction;
  readonly headers?: boolean;
  readonly max: number;
  readonly duration: number;
}

const LIMITS = `
What is seen: HTTP requests that reach the sidecar's filters, as they come in and with the answer that goes out, once that has ended.
What is not: TCP; malformed requests; bodies; which policy refused (heddle logs says). One may watch a sidecar at a time.
Authorization, cookies, API keys and tokens, also in queries, are left out before anything is shown.`;

/** `heddle tap WORKLOAD`. */
export function tapCommand(): Command {
  const command = new Command('tap')
    .description('Shows requests of a workload as they happen.')
    .argument('<target>', 'POD, NAMESPACE/WORKLOAD or deployment/NAME')
    .option('--method <method>', 'only requests of this method')
    .option('--path <path>', 'only requests whose path begins so, or matches a pattern with *')
    .option('--to <host>', 'only requests to this host; a first part of the name will do')
    .option('--from <workload>', 'only requests of this caller: WORKLOAD, NAMESPACE/WORKLOAD, a pod or an address')
    .option('--status <status>', 'only those answered so: 503, 5xx')
    .addOption(new Option('--direction <direction>', 'only this side').choices(['inbound', 'outbound']))
    .option('--sample <percent>', 'how many of a hundred that match', number(0.0001, 100), 100)
    .option('--max <count>', 'end after so many', number(1, 100_000), 100)
    .option('--duration <seconds>', 'end after so long', number(1, 3600), 60)
    .option('--headers', 'show headers too')
    .addHelpText('after', LIMITS);
  return withOutputOption(withClusterOptions(command)).action(async (target: string, flags: TapFlags) => {
    const body = buildTapRequest(flags);
    const { findPods } = await import('../pods/find-pods.ts');
    const cluster = await connect(flags);
    const pods = await findPods(cluster.api, cluster.namespace, target);
    if (pods.length > MAX_PODS) {
      process.stderr.write(`Watching ${MAX_PODS} of the ${pods.length} pods of ${target}.\n`);
    }
    try {
      await show(cluster, pods.slice(0, MAX_PODS), body, flags);
    } finally {
      cluster.api.close();
    }
  });
}

/** Shows requests until there are enough, or the time is over, or Ctrl-C. */
async function show(cluster: Cluster, pods: readonly PodFacts[], body: object, flags: TapFlags): Promise<void> {
  const [{ adminOf }, { tapPod }, { merge }, { PodNames }] = await Promise.all([
    import('../proxy/admin.ts'),
    import('./tap-pod.ts'),
    import('../terminal/merge.ts'),
    import('../pods/pod-names.ts'),
  ]);
  const [interrupt, enough] = [onInterrupt(), new AbortController()];
  const signal = AbortSignal.any([interrupt, enough.signal, AbortSignal.timeout(flags.duration * 1000)]);
  const admins = pods.map((pod) => ({ pod, admin: adminOf(cluster, pod) }));
  const names = new PodNames(cluster.api);
  const attempts = new Attempts(pods.length, (line) => process.stderr.write(`${line}\n`));
  let shown = 0;
  try {
    const streams = admins.map(({ pod, admin }) => tapPod(admin, pod, body, signal, attempts.begun));
    for await (const request of merge(streams.map((stream) => attempts.tolerate(stream)))) {
      if (flags.direction !== undefined && request.direction !== flags.direction) continue;
      const owner = await names.ownerOf(request.source);
      const from = owner === undefined ? request.source : `${owner.namespace}/${owner.workload}`;
      const known = [request.source, request.source.replace(/:\d+$/, ''), from, owner?.workload, owner?.pod];
      if (flags.from !== undefined && !known.includes(flags.from)) continue;
      console.log(formatShown({ ...request, from }, flags, pods.length > 1));
      if (++shown >= flags.max) break;
    }
  } finally {
    enough.abort();
    for (const { admin } of admins) admin.close();
  }
  if (!interrupt.aborted) process.stderr.write(`${closing(shown, flags)}\n`);
}

function formatShown(request: ShownRequest, { output, headers }: TapFlags, withPod: boolean): string {
  if (output === 'json') return JSON.stringify(request);
  if (output === 'yaml') return `---\n${formatObjects(request, 'yaml')}`;
  return formatRequest(request, { withPod, withHeaders: headers === true || output === 'wide' });
}

function closing(shown: number, { max, duration }: TapFlags): string {
  const seen = `${shown === 1 ? '1 request' : `${shown} requests`} seen`;
  return shown >= max ? `${seen}, which is --max.` : `${seen} in ${duration} s (--duration).`;
}

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`It must be from ${least} to ${most}.`);
    return value;
  };
}
