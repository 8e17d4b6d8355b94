import { h, type JSX } from 'preact';
import type { GraphEdge, GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import { CallFacts } from '../call-facts.ts';
import { Failed, Figure, Value } from '../figure.ts';
import { count, millis, percent, rate } from '../format.ts';
import { failedShare, failingEdges, fullest, nameOf, severity } from '../health.ts';
import { Icon, Lock } from '../icon.ts';
import { OwnPool } from '../pool.ts';
import { changed, href, type Route } from '../route.ts';
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
      node.kind === 'workload' ? h('a', { class: 'button', href: href(['service', node.id]) }, 'Over time') : null,
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
  return h(
    'a',
    { class: 'button', href: href(['canary', ...canary.split('/')]) },
    h(Icon, { name: 'canary' }),
    'Canary',
  );
}

interface CallListProps {
  readonly edges: readonly GraphEdge[];
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly other?: 'source' | 'destination';
  readonly both?: boolean;
}

/** Calls as lines that lead to each; those that fail most come first. */
export function CallList({ edges, nodes, other, both = false }: CallListProps): JSX.Element {
  const sorted = [...edges].sort(
    (a, b) => (failedShare(b.golden) ?? 0) - (failedShare(a.golden) ?? 0) || b.golden.perSecond - a.golden.perSecond,
  );
  const title = (id: string) => nameOf(id, nodes.get(id));
  return h(
    'ul',
    { class: 'calls' },
    sorted.map((edge) =>
      h(
        'li',
        { key: edge.id },
        h(
          'a',
          { href: href(['call', edge.source, edge.destination]), class: `sev-${severity(edge.golden)}` },
          h(Lock, { mtls: edge.mtls }),
          h(
            'span',
            { class: 'calls-name' },
            both || other === undefined
              ? [title(edge.source), h(Icon, { name: 'arrow', label: 'calls' }), title(edge.destination)]
              : title(edge[other]),
          ),
          h(
            'span',
            { class: 'calls-figures' },
            h('span', {}, rate(edge.golden.perSecond)),
            h(Failed, { golden: edge.golden }),
            h(Value, { text: millis(edge.golden.p99Ms) }),
          ),
        ),
      ),
    ),
  );
}

/** What somebody who just came should see: what fails, what is slow, what is full, what is being released. */
function Attention({
  view,
  nodes,
  route,
}: {
  readonly view: GraphView;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly route: Route;
}): JSX.Element {
  const failing = failingEdges(view);
  const workloads = view.nodes.filter(({ kind }) => kind === 'workload');
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
  const canaries = workloads.filter(({ canary }) => canary !== undefined);
  return h(
    'div',
    {},
    h(
      'h2',
      {},
      failing.length === 0
        ? view.complete
          ? 'No call fails'
          : 'No failing call is known'
        : `${count(failing.length)} ${failing.length === 1 ? 'call fails' : 'calls fail'}`,
    ),
    failing.length === 0
      ? h(
          'p',
          { class: 'quiet' },
          `Fewer than 1% of the requests of any call${view.complete ? '' : ' that is known'} failed in the last ${view.seconds} s.`,
        )
      : h(CallList, { edges: failing.slice(0, 8), nodes, both: true }),
    failing.length > 8
      ? h('p', { class: 'quiet' }, h('a', { href: href(['services']) }, `and ${failing.length - 8} more`))
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
                  { href: href(['canary', ...(node.canary ?? '').split('/')]) },
                  h(Icon, { name: 'canary' }),
                  h('span', { class: 'calls-name' }, node.canary),
                ),
              ),
            ),
          ),
        ],
  );
}
