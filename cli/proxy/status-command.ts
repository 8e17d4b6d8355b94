import { Command } from 'commander';
import type { ProxiesView, ProxyView } from '../../api/view/control-plane-view.ts';
import type { PodFacts } from '../../operator/mesh/pod.ts';
import { CliError } from '../cli-error.ts';
import { type ClusterFlags, connect, withClusterOptions } from '../cluster-options.ts';
import { type Format, formatObjects, withOutputOption } from '../output.ts';
import { describeState } from '../status/proxy-state.ts';
import { paint } from '../terminal/colour.ts';
import { formatSeconds } from '../terminal/estimate.ts';
import { formatTable } from '../terminal/table.ts';
import type { Held, ProxyConfig } from './config-dump.ts';

type StatusFlags = ClusterFlags & { readonly output: Format };

/** What the sidecar itself says of its configuration, beside what the operator says. */
export interface Difference {
  readonly type: string;
  readonly name: string;
  /** What is the matter with it, a sentence. */
  readonly problem: string;
}

/** `heddle proxy status POD`. */
export function proxyStatusCommand(): Command {
  const command = new Command('status')
    .description(
      'Says what of its configuration a sidecar has not, or refuses, as the operator and the sidecar itself tell it.',
    )
    .argument('<pod>', 'POD, NAMESPACE/POD or deployment/NAME');
  return withOutputOption(withClusterOptions(command)).action(async (text: string, flags: StatusFlags) => {
    const [{ findPod }, { adminOf }, { readProxyConfig }, { OperatorClient }] = await Promise.all([
      import('../pods/find-pods.ts'),
      import('./admin.ts'),
      import('./config-dump.ts'),
      import('../forward/operator-client.ts'),
    ]);
    const cluster = await connect(flags);
    const pod = await findPod(cluster.api, cluster.namespace, text);
    const [admin, operator] = [adminOf(cluster, pod), new OperatorClient(cluster)];
    try {
      const query = new URLSearchParams({ namespace: pod.namespace });
      const [view, config] = await Promise.all([
        operator.get<ProxiesView>(`/api/proxies?${query}`),
        readProxyConfig(admin),
      ]);
      const proxy = findProxy(view, pod);
      const differences = findDifferences(config);
      const { output } = flags;
      if (output === 'json' || output === 'yaml') console.log(formatObjects({ ...proxy, differences }, output));
      else console.log(formatProxy(proxy, differences, view.at));
      if (proxy.state !== 'synced' || differences.length > 0) process.exitCode = 1;
    } finally {
      admin.close();
      operator.close();
      cluster.api.close();
    }
  });
}

function findProxy({ proxies }: ProxiesView, { namespace, name }: PodFacts): ProxyView {
  const found = proxies.find((proxy) => proxy.pod === name && proxy.namespace === namespace);
  if (found !== undefined) return found;
  throw new CliError(
    `the operator does not know a sidecar of pod ${namespace}/${name}`,
    `see whether its sidecar gets on: heddle logs ${name} -n ${namespace}`,
  );
}

/** What the sidecar holds that is not in use: refused, still being prepared, or on its way out. */
export function findDifferences({ listeners, routes, clusters, secrets }: ProxyConfig): Difference[] {
  const parts: readonly (readonly [string, readonly Held<{ readonly name?: string }>[]])[] = [
    ['listeners', listeners],
    ['routes', routes],
    ['clusters', clusters],
    ['secrets', secrets],
  ];
  return parts.flatMap(([type, held]) =>
    held.flatMap(({ resource: { name = '-' }, state, error }): Difference[] => {
      if (error !== undefined) return [{ type, name, problem: `refused: ${error}` }];
      if (state === 'warming') return [{ type, name, problem: 'waits for what it depends on (warming)' }];
      return [];
    }),
  );
}

/** @param at when the operator said it, ms since the epoch */
export function formatProxy(proxy: ProxyView, differences: readonly Difference[], at: number): string {
  const { namespace, pod, workload, node, state, replica, connectedSince, identity } = proxy;
  const since = connectedSince === undefined ? '' : ` for ${formatSeconds((at - connectedSince) / 1000)}`;
  const facts: [string, string][] = [
    ['workload', workload],
    ['node', node],
    ['identity', `${identity}${proxy.certificateNotAfter ? `, until ${proxy.certificateNotAfter}` : ''}`],
    ['stream', replica === undefined ? (state === 'unknown' ? 'not known' : 'none') : `to ${replica}${since}`],
    ['loading', proxy.onDemand ? 'on demand' : 'all'],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const types = Object.entries(proxy.types).map(([type, { held, stale }]) => [type, `${held}`, `${stale}`]);
  const refused = proxy.rejections.map(({ type, name, message }) => ({ type, name, problem: `refused: ${message}` }));
  const problems = [...refused, ...differences.filter(({ name }) => !refused.some((one) => one.name === name))];
  return [
    `${paint('bold', `${namespace}/${pod}`)}  ${describeState(state)}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    '',
    formatTable(['type', 'held', 'not the newest'], types),
    ...(problems.length === 0
      ? []
      : [
          '',
          formatTable(
            ['type', 'name', 'what'],
            problems.map(({ type, name, problem }) => [type, name, problem]),
          ),
        ]),
  ].join('\n');
}
