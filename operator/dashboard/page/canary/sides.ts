import { h, type JSX } from 'preact';
import type { Canary } from '../../../../api/canary.ts';
import type { EdgeRevision, GraphView } from '../../../../api/view/graph-view.ts';
import { Figure } from '../figure.ts';
import { count, millis, percent, rate } from '../format.ts';
import { failedShare, severity, sumOf } from '../health.ts';
import { spaced } from './words.ts';

/** Both revisions side by side: what was asked for, what the last check saw, and what they serve now. */
export function Sides({
  canary,
  graph,
}: {
  readonly canary: Canary;
  readonly graph: GraphView | undefined;
}): JSX.Element {
  const { status = {} } = canary;
  const { weight, stableRevision, canaryRevision, metrics, stableMetrics } = status;
  const live = revisionsOf(canary, graph);
  const next = weight === undefined ? undefined : `${weight}%`;
  const rest = weight === undefined ? undefined : `${100 - weight}%`;
  return h(
    'div',
    { class: 'sides' },
    h(Side, {
      role: 'stable',
      revision: stableRevision,
      weight: rest,
      figures: stableMetrics,
      live: live?.filter(({ role }) => role === 'stable'),
    }),
    canaryRevision === undefined
      ? h(
          'section',
          { class: 'side-card none' },
          h('h2', {}, 'new'),
          h('p', { class: 'empty' }, 'No revision is under analysis.'),
        )
      : h(Side, {
          role: 'canary',
          revision: canaryRevision,
          weight: next,
          figures: metrics,
          live: live?.filter(({ role }) => role === 'canary'),
        }),
  );
}

interface SideProps {
  readonly role: 'stable' | 'canary';
  readonly revision: string | undefined;
  readonly weight: string | undefined;
  readonly figures: NonNullable<Canary['status']>['metrics'];
  readonly live: readonly EdgeRevision[] | undefined;
}

function Side({ role, revision, weight, figures, live }: SideProps): JSX.Element {
  const now = live === undefined || live.length === 0 ? undefined : sumOf(live.map(({ golden }) => golden));
  const none = live === undefined ? 'unknown' : 'no calls';
  return h(
    'section',
    { class: `side-card ${role}` },
    h(
      'h2',
      {},
      role === 'canary' ? 'new' : 'stable',
      ' ',
      revision === undefined ? h('span', { class: 'unknown' }, 'unknown') : h('code', {}, revision),
    ),
    h(
      'p',
      { class: 'share' },
      weight ?? h('span', { class: 'unknown' }, 'unknown'),
      h('span', { class: 'quiet' }, ' of the requests'),
    ),
    h('h3', {}, 'In the last check'),
    h(
      'dl',
      { class: 'figures' },
      h(Figure, { name: 'Success', text: figures?.successRate }),
      h(Figure, { name: 'p99', text: spaced(figures?.p99) }),
      h(Figure, { name: 'Requests', text: count(figures?.requests) }),
    ),
    h('h3', {}, 'Now, as callers see it'),
    h(
      'dl',
      { class: 'figures' },
      h(Figure, { name: 'Errors', text: percent(failedShare(now)), none, tone: `sev-${severity(now)}` }),
      h(Figure, { name: 'p99', text: millis(now?.p99Ms), none: now === undefined ? none : 'unknown' }),
      h(Figure, { name: 'Traffic', text: rate(now?.perSecond), none }),
    ),
  );
}

/** What callers see of both revisions; undefined when the graph is not known, or knows no service with this Canary. */
function revisionsOf({ metadata }: Canary, graph: GraphView | undefined): readonly EdgeRevision[] | undefined {
  const node = graph?.nodes.find(({ canary }) => canary === `${metadata.namespace}/${metadata.name}`);
  if (graph === undefined || node === undefined) return undefined;
  return graph.edges.filter(({ destination }) => destination === node.id).flatMap(({ revisions }) => revisions);
}
