import { h, type JSX } from 'preact';
import type { GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import { count, millis, percent, rate } from '../format.ts';
import { failingEdges, fullest, nameOf } from '../health.ts';
import { Icon } from '../icon.ts';
import { useHref } from '../kept-namespace.ts';
import { changed, type Route } from '../route.ts';
import { CallList } from './call-list.ts';

/** What somebody who just came should see, of the namespace that is looked at or of all: what fails, what is slow, what is full, what is being released. */
export function Attention({
  view,
  nodes,
  route,
}: {
  readonly view: GraphView;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly route: Route;
}): JSX.Element {
  const { ns } = route.query;
  const to = useHref();
  const isShown = (id: string): boolean => ns === undefined || nodes.get(id)?.namespace === ns;
  const failing = failingEdges(view).filter(({ source, destination }) => isShown(source) || isShown(destination));
  const workloads = view.nodes.filter(({ kind, id }) => kind === 'workload' && isShown(id));
  const top = (of: (node: GraphNode) => number | undefined) =>
    workloads
      .filter((node) => of(node) !== undefined)
      .sort((a, b) => (of(b) ?? 0) - (of(a) ?? 0))
      .slice(0, 3);
  const list = (title: string, found: readonly GraphNode[], say: (node: GraphNode) => string | undefined) =>
    found.length === 0
      ? null
      : [
          h('h3', {}, title),
          h(
            'ul',
            { class: 'calls' },
            found.map((node) =>
              h(
                'li',
                { key: node.id },
                h(
                  'a',
                  { href: changed(route, { sel: node.id, call: undefined }) },
                  h('span', { class: 'calls-name' }, nameOf(node.id, node)),
                  h('span', { class: 'calls-figures' }, say(node)),
                ),
              ),
            ),
          ),
        ];
  const of = ns === undefined ? '' : ` of ${ns}`;
  const canaries = workloads.filter(({ canary }) => canary !== undefined);
  return h(
    'div',
    {},
    h(
      'h2',
      {},
      failing.length === 0
        ? view.complete
          ? `No call${of} fails`
          : `No failing call${of} is known`
        : `${count(failing.length)} ${failing.length === 1 ? 'call fails' : 'calls fail'}`,
    ),
    failing.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          `Fewer than 1% of the requests of any call${of}${view.complete ? '' : ' that is known'} failed in the last ${view.seconds} s.`,
        )
      : h(CallList, { edges: failing.slice(0, 8), nodes, both: true }),
    failing.length > 8
      ? h('p', { class: 'quiet' }, h('a', { href: to(['services']) }, `and ${failing.length - 8} more`))
      : null,
    list(
      'Slowest (p99)',
      top((node) => node.served?.p99Ms),
      (node) => millis(node.served?.p99Ms),
    ),
    list(
      'Slowest by itself',
      top(({ ownMs }) => ownMs),
      ({ ownMs }) => millis(ownMs),
    ),
    list(
      'Fullest',
      top((node) => fullest(node.saturation)?.share),
      (node) => {
        const most = fullest(node.saturation);
        return most === undefined ? undefined : `${percent(most.share)} ${most.of}`;
      },
    ),
    list(
      'Busiest',
      top((node) => node.served?.perSecond),
      (node) => rate(node.served?.perSecond),
    ),
    canaries.length === 0
      ? null
      : [
          h('h3', {}, 'With a canary'),
          h(
            'ul',
            { class: 'calls' },
            canaries.map((node) =>
              h(
                'li',
                { key: node.id },
                h(
                  'a',
                  { href: to(['canary', ...(node.canary ?? '').split('/')]) },
                  h(Icon, { name: 'canary' }),
                  h('span', { class: 'calls-name' }, node.canary),
                ),
              ),
            ),
          ),
        ],
  );
}
