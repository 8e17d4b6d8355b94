import { h, type JSX } from 'preact';
import type { GraphNode } from '../../../api/view/graph-view.ts';
import type { Series, SeriesView } from '../../../api/view/series-view.ts';
import { Incomplete, Waiting } from './completeness.ts';
import { Failed, Meter, Value } from './figure.ts';
import { millis, percent, rate } from './format.ts';
import { failedShare, fullest, NEARLY_FULL, nameOf } from './health.ts';
import { Icon } from './icon.ts';
import { useHref } from './kept-namespace.ts';
import { NamespaceChoice } from './namespace-choice.ts';
import { useAnswer, useLive } from './remote.ts';
import type { href, Route } from './route.ts';
import { highest, Sparkline } from './sparkline.ts';
import { type Column, Table } from './table.ts';
import { ViewHead } from './view-head.ts';

/** The four golden metrics of every service, now and over the last hour. */
export function ServicesPage({ route }: { readonly route: Route }): JSX.Element {
  const { data: view, error } = useLive();
  const to = useHref();
  const series = useAnswer<SeriesView>('api/series?node=*&points=60', { everyMs: 30_000 });
  if (view === undefined) return h(Waiting, { error, what: 'the services' });
  const { ns } = route.query;
  const rows = view.nodes
    .filter(({ kind, namespace }) => kind === 'workload' && (ns === undefined || namespace === ns))
    .sort((a, b) => a.id.localeCompare(b.id));
  const of = new Map(series.data?.series.map((each) => [each.id, each]));
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, { title: 'Services', about: `The last ${view.seconds} s; lines show the last hour.` }),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, { route, names: view.nodes.map(({ namespace }) => namespace) }),
      h(Incomplete, { view }),
    ),
    h(Table<GraphNode>, {
      caption: 'Golden metrics of each service',
      columns: columnsOf(of, view.complete, to),
      rows,
      keyOf: ({ id }) => id,
      empty: ns === undefined ? 'No service has a sidecar yet.' : `No service in ${ns} has a sidecar.`,
    }),
  );
}

function columnsOf(series: ReadonlyMap<string, Series>, complete: boolean, to: typeof href): Column<GraphNode>[] {
  const none = complete ? 'no calls' : 'unknown';
  const withLine = (
    node: GraphNode,
    points: Series['p99Ms'] | undefined,
    label: string,
    text: JSX.Element,
    tone = '',
  ) =>
    h(
      'span',
      { class: 'with-line' },
      h(Sparkline, { points, label: `${label} of ${node.name} in the last hour`, tone }),
      text,
    );
  return [
    {
      title: 'Service',
      sort: ({ id }) => id,
      cell: (node) =>
        h(
          'a',
          { class: 'row-name', href: to(['service', node.id]) },
          h(
            'b',
            {},
            nameOf(node.id, node),
            node.canary === undefined ? null : [' ', h(Icon, { name: 'canary', label: 'has a canary' })],
          ),
          h('span', { class: 'quiet' }, node.namespace),
        ),
    },
    {
      title: 'Latency p99',
      number: true,
      sort: ({ served }) => served?.p99Ms,
      cell: (node) =>
        withLine(
          node,
          series.get(node.id)?.p99Ms,
          'p99',
          h(Value, { text: millis(node.served?.p99Ms), none: node.served === undefined ? none : 'unknown' }),
        ),
    },
    {
      title: 'Traffic',
      number: true,
      sort: ({ served }) => served?.perSecond,
      cell: (node) =>
        withLine(
          node,
          series.get(node.id)?.perSecond,
          'Traffic',
          h(Value, { text: rate(node.served?.perSecond), none }),
        ),
    },
    {
      title: 'Errors',
      number: true,
      sort: ({ served }) => failedShare(served),
      cell: (node) =>
        withLine(
          node,
          series.get(node.id)?.failuresPerSecond,
          'Failures',
          h(Failed, { golden: node.served, none }),
          (highest(series.get(node.id)?.failuresPerSecond ?? []) ?? 0) > 0 ? 'bad' : '',
        ),
    },
    {
      title: 'Saturation',
      number: true,
      sort: ({ saturation }) => fullest(saturation)?.share,
      cell: ({ saturation }) => {
        const most = fullest(saturation);
        if (most === undefined) return h(Value, { text: undefined });
        const text = `${percent(most.share)} ${most.of}`;
        return h(
          'span',
          { class: 'with-line' },
          h(Meter, {
            share: most.share,
            label: `${text}, the fullest`,
            tone: most.share >= NEARLY_FULL ? 'warn' : '',
          }),
          h('span', { class: 'value' }, text),
        );
      },
    },
    {
      title: 'Sidecars',
      number: true,
      sort: ({ connected }) => connected,
      cell: ({ connected, pods }) =>
        h('span', { class: connected < pods ? 'warn-text' : '' }, `${connected} of ${pods}`),
    },
  ];
}
