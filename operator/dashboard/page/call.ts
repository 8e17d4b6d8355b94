import { h, type JSX } from 'preact';
import type { SeriesView } from '../../../api/view/series-view.ts';
import { CallFacts } from './call-facts.ts';
import { Incomplete, Outdated, Waiting } from './completeness.ts';
import { Notice } from './figure.ts';
import { GoldenCharts } from './golden-charts.ts';
import { useHref } from './kept-namespace.ts';
import { useAnswer, useLive } from './remote.ts';
import type { Route } from './route.ts';

/** All that is known of the calls of one service to another. */
export function CallPage({ route }: { readonly route: Route }): JSX.Element {
  const to = useHref();
  const [, source = '', destination = ''] = route.path;
  const { data: view, error } = useLive();
  const edge = `${source}>${destination}`;
  const series = useAnswer<SeriesView>(`api/series?${new URLSearchParams({ edge, seconds: '3600' })}`, {
    everyMs: 10_000,
  });
  if (view === undefined) return h(Waiting, { error, what: 'the call' });
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const found = view.edges.filter((each) => each.source === source && each.destination === destination);
  const own = series.data?.series.find(({ id }) => id === edge);
  return h(
    'div',
    { class: 'view' },
    h('h1', { class: 'hidden' }, 'Call'),
    h(
      'div',
      { class: 'toolbar' },
      // Beside its caller it stands one by one, however large the mesh is and whatever namespace is looked at.
      h('a', { class: 'button', href: to(['graph'], { call: edge, focus: source }) }, 'In the graph'),
      h(Incomplete, { view }),
    ),
    found.length === 0
      ? h(Notice, { tone: 'warn' }, `Nobody has seen ${source} call ${destination} in the last ${view.seconds} s.`)
      : null,
    h(
      'div',
      { class: 'columns' },
      found.map((each) =>
        h('section', { key: `${each.id} ${each.service} ${each.protocol}` }, h(CallFacts, { edge: each, nodes })),
      ),
    ),
    h(Outdated, { error: series.error }),
    series.data === undefined || own === undefined ? null : h(GoldenCharts, { view: series.data, own }),
  );
}
