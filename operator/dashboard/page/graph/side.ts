import { h, type JSX } from 'preact';
import type { GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import { CallFacts } from '../call-facts.ts';
import { Figure } from '../figure.ts';
import { millis, percent, rate } from '../format.ts';
import { failedShare, fullest, nameOf, severity } from '../health.ts';
import { Icon } from '../icon.ts';
import { useHref } from '../kept-namespace.ts';
import { OwnPool } from '../pool.ts';
import { changed, type Route } from '../route.ts';
import { Attention } from './attention.ts';
import { CallList } from './call-list.ts';
import type { Picture } from './picture.ts';

interface SideProps {
  readonly view: GraphView;
  readonly picture: Picture;
  readonly route: Route;
}

/** Beside the graph: what is chosen, or else what deserves a look. */
export function Side({ view, picture, route }: SideProps): JSX.Element {
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const node = nodes.get(route.query.sel ?? route.query.focus ?? '');
  const call = picture.calls.find(({ id }) => id === route.query.call);
  const [only] = call?.edges ?? [];
  const close = h(
    'a',
    {
      class: 'close',
      href: changed(route, { sel: undefined, call: undefined, focus: undefined }),
      'aria-label': 'Close',
    },
    h(Icon, { name: 'cross' }),
  );
  if (call !== undefined && only !== undefined) {
    return h(
      'aside',
      { class: 'side', 'aria-label': 'Chosen call' },
      close,
      call.edges.length === 1
        ? h(CallFacts, { edge: only, nodes })
        : [h('h2', {}, 'Calls between them'), h(CallList, { edges: call.edges, nodes, both: true })],
    );
  }
  if (node !== undefined)
    return h(
      'aside',
      { class: 'side', 'aria-label': 'Chosen service' },
      close,
      h(NodeFacts, { node, view, nodes, route }),
    );
  return h('aside', { class: 'side', 'aria-label': 'What deserves a look' }, h(Attention, { view, nodes, route }));
}

function NodeFacts({
  node,
  view,
  nodes,
  route,
}: {
  readonly node: GraphNode;
  readonly view: GraphView;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly route: Route;
}): JSX.Element {
  const toView = useHref();
  const { served, saturation } = node;
  const none = view.complete ? 'no calls' : 'unknown';
  const most = fullest(saturation);
  const from = view.edges.filter(({ destination }) => destination === node.id);
  const to = view.edges.filter(({ source }) => source === node.id);
  return h(
    'div',
    {},
    h(
      'p',
      { class: 'over' },
      node.kind === 'workload' ? node.namespace : node.kind === 'host' ? 'Outside the mesh' : 'Without an identity',
    ),
    h('h2', {}, nameOf(node.id, node)),
    h(
      'dl',
      { class: 'figures' },
      h(Figure, { name: 'Traffic', text: rate(served?.perSecond), none }),
      h(Figure, { name: 'Errors', text: percent(failedShare(served)), none, tone: `sev-${severity(served)}` }),
      h(Figure, { name: 'p50', text: millis(served?.p50Ms), none: served === undefined ? none : 'unknown' }),
      h(Figure, { name: 'p99', text: millis(served?.p99Ms), none: served === undefined ? none : 'unknown' }),
      node.kind === 'workload'
        ? h(Figure, { name: 'By itself', text: millis(node.ownMs), none, note: 'mean, without its calls' })
        : null,
      node.kind === 'workload'
        ? h(Figure, { name: 'Fullest', text: most === undefined ? undefined : `${percent(most.share)} ${most.of}` })
        : null,
      node.kind === 'workload'
        ? h(Figure, { name: 'Sidecars', text: `${node.connected} of ${node.pods}`, note: 'connected' })
        : null,
    ),
    h(OwnPool, { pool: saturation?.ownPool }),
    h(
      'p',
      { class: 'links' },
      node.kind === 'workload' ? h('a', { class: 'button', href: toView(['service', node.id]) }, 'Over time') : null,
      route.query.focus === node.id
        ? h('a', { class: 'button', href: changed(route, { focus: undefined, sel: node.id }) }, 'Show everything')
        : h('a', { class: 'button', href: changed(route, { focus: node.id, sel: node.id }) }, 'Only its neighbours'),
      node.canary === undefined ? null : h(CanaryButton, { canary: node.canary }),
    ),
    from.length === 0 ? null : [h('h3', {}, 'Called by'), h(CallList, { edges: from, nodes, other: 'source' })],
    to.length === 0 ? null : [h('h3', {}, 'Calls'), h(CallList, { edges: to, nodes, other: 'destination' })],
  );
}

/** Leads to a Canary. @param canary `namespace/name` */
export function CanaryButton({ canary }: { readonly canary: string }): JSX.Element {
  const to = useHref();
  return h('a', { class: 'button', href: to(['canary', ...canary.split('/')]) }, h(Icon, { name: 'canary' }), 'Canary');
}
