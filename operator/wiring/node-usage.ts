import type { SeriesView } from '../../api/view/series-view.ts';
import type { SeriesSelection } from '../dashboard/view-source.ts';
import { type PodUsage, STALE_MS } from '../usage/pod-usage.ts';
import { type SaturatedPod, saturationOf } from '../usage/saturation.ts';
import type { UsagePoller } from '../usage/usage-poller.ts';
import type { TrafficRecords } from './traffic-records.ts';

type Records = Pick<TrafficRecords, 'nodes' | 'usage'>;

/**
 * Keeps what nodes use whenever that is told: while somebody looks.
 * @param podsOf the running pods of a node
 * @param now ms since the epoch
 */
export function keepUsage(
  { nodes, usage }: Records,
  poller: Pick<UsagePoller, 'onAnswer'>,
  podsOf: (node: string) => readonly SaturatedPod[],
  now: () => number,
): void {
  poller.onAnswer((answered, pods) => {
    const at = now();
    const used = (namespace: string, pod: string): PodUsage | undefined => {
      const known = namespace === answered ? pods.get(pod) : undefined;
      return known !== undefined && at - known.at <= STALE_MS ? known : undefined;
    };
    for (const { id, namespace } of nodes.all()) {
      if (namespace !== answered) continue;
      const { cpuCores, memoryBytes } = saturationOf(podsOf(id), used) ?? {};
      if (cpuCores !== undefined && memoryBytes !== undefined) usage.record(id, { cpuCores, memoryBytes }, at);
    }
  });
}

/** Series of nodes with what these used; whoever counted their calls. */
export function withUsage({ usage }: Pick<Records, 'usage'>, { of }: SeriesSelection, view: SeriesView): SeriesView {
  if (of !== 'node') return view;
  const { at, step, series } = view;
  const count = series[0]?.perSecond.length ?? 0;
  const points = usage.points(
    series.map(({ id }) => id),
    at,
    step,
    count,
  );
  return { ...view, series: series.map((one) => ({ ...one, ...points.get(one.id) })) };
}
