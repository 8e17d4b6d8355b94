import { h, type JSX } from 'preact';
import type { GraphNode } from '../../../api/view/graph-view.ts';
import type { SeriesView } from '../../../api/view/series-view.ts';
import { Chart } from './chart.ts';
import { Incomplete, Outdated, Waiting } from './completeness.ts';
import { Figure, Notice } from './figure.ts';
import { bytes, count, millis, percent, rate } from './format.ts';
import { GoldenCharts } from './golden-charts.ts';
import { CallList } from './graph/call-list.ts';
import { CanaryButton } from './graph/side.ts';
import { failedShare, NEARLY_FULL, nameOf, severity } from './health.ts';
import { useHref } from './kept-namespace.ts';
import { OwnPool, TurnedAway } from './pool.ts';
import { useAnswer, useLive } from './remote.ts';
import { changed, type Route } from './route.ts';

const SPANS = [
  ['15 min', '900'],
  ['1 h', '3600'],
] as const;

/** One service: its golden metrics over time, how full it is, and who calls it and is called. */
export function ServicePage({ route }: { readonly route: Route }): JSX.Element {
  const to = useHref();
  const id = route.path[1] ?? '';
  const { seconds = '3600' } = route.query;
  const { data: view, error } = useLive();
  const series = useAnswer<SeriesView>(`api/series?${new URLSearchParams({ node: id, seconds })}`, { everyMs: 10_000 });
  if (view === undefined) return h(Waiting, { error, what: 'the service' });
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const node = nodes.get(id);
  const from = view.edges.filter(({ destination }) => destination === id);
  const calls = view.edges.filter(({ source }) => source === id);
  return h(
    'div',
    { class: 'view' },
    h(
      'header',
      { class: 'view-head' },
      h(
        'p',
        { class: 'over' },
        h('a', { href: to(['services']) }, 'Services'),
        ' / ',
        node?.namespace ?? id.split('/')[0],
      ),
      h('h1', {}, nameOf(id, node)),
      node === undefined ? null : h('p', { class: 'quiet' }, node.services.join(', ')),
    ),
    h(
      'div',
      { class: 'toolbar' },
      h('a', { class: 'button', href: to(['graph'], { focus: id, sel: id }) }, 'In the graph'),
      node?.canary === undefined ? null : h(CanaryButton, { canary: node.canary }),
      h(
        'span',
        { class: 'switch', role: 'group', 'aria-label': 'How far back' },
        SPANS.map(([name, value]) =>
          h(
            'a',
            {
              key: value,
              class: 'button',
              href: changed(route, { seconds: value }),
              ...(value === seconds ? { 'aria-current': 'true' as const } : {}),
            },
            name,
          ),
        ),
      ),
      h(Incomplete, { view }),
    ),
    node === undefined
      ? h(
          Notice,
          { tone: 'warn' },
          'Nothing of this name is in the graph now: it has no sidecar, and nobody called it.',
        )
      : [h(Now, { node, complete: view.complete }), h(OwnPool, { pool: node.saturation?.ownPool })],
    h(Outdated, { error: series.error }),
    series.data === undefined ? null : h(Charts, { view: series.data, id }),
    h(
      'div',
      { class: 'columns' },
      h(
        'section',
        {},
        h('h2', {}, 'Called by'),
        from.length === 0
          ? h('p', { class: 'empty' }, 'Nobody, in this window.')
          : h(CallList, { edges: from, nodes, other: 'source' }),
      ),
      h(
        'section',
        {},
        h('h2', {}, 'Calls'),
        calls.length === 0
          ? h('p', { class: 'empty' }, 'Nobody, in this window.')
          : h(CallList, { edges: calls, nodes, other: 'destination' }),
      ),
    ),
  );
}

function Now({ node, complete }: { readonly node: GraphNode; readonly complete: boolean }): JSX.Element {
  const { served, saturation = {} } = node;
  const none = complete ? 'no calls' : 'unknown';
  const ofLimit = (share: number | undefined) =>
    share === undefined ? 'share of the limit unknown' : `${percent(share)} of the limit, fullest pod`;
  return h(
    'dl',
    { class: 'figures wide' },
    h(Figure, { name: 'p50', text: millis(served?.p50Ms), none: served === undefined ? none : 'unknown' }),
    h(Figure, { name: 'p90', text: millis(served?.p90Ms), none: served === undefined ? none : 'unknown' }),
    h(Figure, { name: 'p99', text: millis(served?.p99Ms), none: served === undefined ? none : 'unknown' }),
    h(Figure, { name: 'By itself', text: millis(node.ownMs), none, note: 'mean, without its calls' }),
    h(Figure, { name: 'Traffic', text: rate(served?.perSecond), none }),
    h(Figure, { name: 'Errors', text: percent(failedShare(served)), none, tone: `sev-${severity(served)}` }),
    h(Figure, {
      name: 'CPU',
      text: saturation.cpuCores === undefined ? undefined : `${count(saturation.cpuCores)} cores`,
      note: ofLimit(saturation.cpuShare),
    }),
    h(Figure, { name: 'Memory', text: bytes(saturation.memoryBytes), note: ofLimit(saturation.memoryShare) }),
    h(Figure, { name: 'Connections', text: count(saturation.connections) }),
    h(Figure, { name: 'Under way', text: count(saturation.active), note: 'requests' }),
    h(Figure, {
      name: 'Waiting',
      text: count(saturation.pending),
      note: saturation.poolShare === undefined ? 'for a connection' : `fullest pool ${percent(saturation.poolShare)}`,
      tone: (saturation.poolShare ?? 0) >= NEARLY_FULL ? 'warn' : '',
    }),
    h(TurnedAway, { overflow: saturation.overflow }),
    h(Figure, { name: 'Sidecars', text: `${node.connected} of ${node.pods}`, note: 'connected' }),
  );
}

function Charts({ view, id }: { readonly view: SeriesView; readonly id: string }): JSX.Element {
  const own = view.series.find((each) => each.id === id);
  if (own === undefined) return h('p', { class: 'empty' }, 'No history of it is known.');
  const { at, step } = view;
  return h(
    GoldenCharts,
    { view, own },
    h(Chart, {
      title: 'CPU',
      at,
      step,
      say: (value) => (count(value) === undefined ? undefined : `${count(value)} cores`),
      lines: [{ name: 'cores', points: own.cpuCores ?? [], tone: 'strong' }],
    }),
    h(Chart, {
      title: 'Memory',
      at,
      step,
      say: bytes,
      binary: true,
      lines: [{ name: 'bytes', points: own.memoryBytes ?? [], tone: 'strong' }],
    }),
  );
}
