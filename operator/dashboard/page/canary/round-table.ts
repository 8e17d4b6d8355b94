import { h, type JSX } from 'preact';
import type { AnalysisRound, MetricResult, RevisionCounts } from '../../../../api/canary-round.ts';
import { Badge, Meter, Value } from '../figure.ts';
import { count, percent } from '../format.ts';
import { type Column, Table } from '../table.ts';
import { boundOf, evidenceShare, metricValue, verdictTone, words } from './words.ts';

/** What each metric of a check came to, both revisions side by side. */
export function RoundTable({ round }: { readonly round: AnalysisRound }): JSX.Element {
  const { metrics = [], inputs } = round;
  const bounds = new Map(inputs.metrics.map((metric) => [metric.name, metric]));
  // A metric that is held to a limit alone has no value of the stable revision.
  const unlessCompared = ({ name, value }: MetricResult) => {
    const { maxDecrease, maxIncrease } = bounds.get(name) ?? {};
    return value !== undefined && maxDecrease === undefined && maxIncrease === undefined ? 'not compared' : 'unknown';
  };
  const columns: Column<MetricResult>[] = [
    {
      title: 'Metric',
      cell: ({ name }) =>
        h(
          'span',
          { class: 'row-name' },
          h('b', {}, name, bounds.get(name)?.percentile === undefined ? '' : ` p${bounds.get(name)?.percentile}`),
          h('span', { class: 'quiet' }, boundOf(bounds.get(name))),
        ),
    },
    {
      title: 'New',
      number: true,
      cell: (one) => h('span', { class: 'canary-ink' }, h(Value, { text: metricValue(one, one.value) })),
    },
    {
      title: 'Stable',
      number: true,
      cell: (one) => h(Value, { text: metricValue(one, one.stableValue), none: unlessCompared(one) }),
    },
    {
      title: 'Samples',
      number: true,
      cell: ({ samples, stableSamples }) =>
        h(
          'span',
          {},
          h(Value, { text: count(samples) }),
          stableSamples === undefined ? null : [' / ', h(Value, { text: count(stableSamples) })],
        ),
    },
    {
      title: 'Evidence against it',
      cell: (one) => {
        const share = evidenceShare(one);
        if (share === undefined) return h(Value, { text: undefined, none: 'none needed' });
        const needed = count(one.evidenceNeeded);
        const said =
          share >= 1 ? `more than the odds of ${needed} needed` : `odds ${count(one.evidence)} of ${needed} needed`;
        return h(
          'span',
          { class: 'with-line' },
          h(Meter, { share, label: `${said}, ${percent(share)} of the way`, tone: share >= 1 ? 'bad' : '' }),
          h('span', { class: 'quiet' }, said),
        );
      },
    },
    { title: 'Verdict', cell: ({ verdict }) => h(Badge, { tone: verdictTone(verdict), text: words(verdict) }) },
  ];
  return h(Table<MetricResult>, {
    caption: 'Metrics of the last check',
    columns,
    rows: metrics,
    keyOf: ({ name }) => name,
    empty: 'No metric has been judged in this check.',
    more: ({ message }) => (message === undefined ? null : h('p', { class: 'quiet' }, message)),
  });
}

/** How long requests took at both revisions in the same window: shares of each bucket, so that different weights compare. */
export function Durations({ round }: { readonly round: AnalysisRound }): JSX.Element | null {
  const pick = (counts: RevisionCounts) =>
    (counts.callers.requests > 0 ? counts.callers : counts.served).durations ?? [];
  const [next, stable] = [pick(round.inputs.next), pick(round.inputs.stable)];
  if (next.length + stable.length === 0) return null;
  const total = (list: typeof next) =>
    Math.max(
      1,
      list.reduce((sum, bucket) => sum + bucket.count, 0),
    );
  const bounds = [...new Set([...next, ...stable].map(({ overMs }) => overMs))].sort((a, b) => a - b);
  const shareOf = (list: typeof next, bound: number) =>
    (list.find(({ overMs }) => overMs === bound)?.count ?? 0) / total(list);
  const most = Math.max(...bounds.flatMap((bound) => [shareOf(next, bound), shareOf(stable, bound)]));
  const name = (bound: number) => {
    const upTo = [...next, ...stable].find(({ overMs }) => overMs === bound)?.upToMs;
    return upTo === undefined ? `over ${bound} ms` : `${bound}–${upTo} ms`;
  };
  const bar = (role: string, share: number) =>
    h(Meter, { share: most === 0 ? 0 : share / most, tone: role, label: `${role}: ${percent(share)}` });
  return h(
    'section',
    {},
    h('h2', {}, 'How long requests took'),
    h(
      'ul',
      { class: 'durations' },
      bounds.map((bound) =>
        h(
          'li',
          { key: bound },
          h('span', { class: 'number' }, name(bound)),
          h('span', { class: 'pair' }, bar('canary', shareOf(next, bound)), bar('stable', shareOf(stable, bound))),
          h('span', { class: 'number canary-ink' }, percent(shareOf(next, bound))),
          h('span', { class: 'number quiet' }, percent(shareOf(stable, bound))),
        ),
      ),
    ),
  );
}
