import { h, type JSX } from 'preact';
import type { Canary } from '../../../../api/canary.ts';
import type { PastRelease } from '../../../../api/canary-history.ts';
import type { AnalysisRound } from '../../../../api/canary-round.ts';
import { Outdated, Waiting } from '../completeness.ts';
import { Badge, Notice } from '../figure.ts';
import { clock, plural, span } from '../format.ts';
import { Icon } from '../icon.ts';
import { useHref } from '../kept-namespace.ts';
import { useAnswer, useLive, useNow } from '../remote.ts';
import type { Route } from '../route.ts';
import { Table } from '../table.ts';
import type { Canaries } from './list.ts';
import { isUnderWay, messageOf, stagesOf } from './progress.ts';
import { Durations, RoundTable } from './round-table.ts';
import { Sides } from './sides.ts';
import { phaseTone, verdictTone, words } from './words.ts';

/** A canary as its release goes: where it stands, both revisions, each metric, and why it waits. */
export function CanaryPage({ route }: { readonly route: Route }): JSX.Element {
  const to = useHref();
  const [, namespace, name] = route.path;
  const { data, error } = useAnswer<Canaries>('api/canaries', { topic: 'canaries', everyMs: 10_000 });
  const { data: graph } = useLive();
  if (data === undefined) return h(Waiting, { error, what: 'the canary' });
  const canary = data.canaries.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (canary === undefined)
    return h(
      'div',
      { class: 'view' },
      h('h1', {}, 'Canary'),
      h(
        Notice,
        { tone: 'warn' },
        `There is no Canary ${namespace}/${name}. `,
        h('a', { href: to(['canaries']) }, 'All canaries'),
      ),
    );
  const { status = {}, spec } = canary;
  const [round] = status.rounds ?? [];
  return h(
    'div',
    { class: 'view' },
    h(
      'header',
      { class: 'view-head' },
      h('p', { class: 'over' }, h('a', { href: to(['canaries']) }, 'Canaries'), ` / ${canary.metadata.namespace}`),
      h(
        'h1',
        {},
        canary.metadata.name,
        ' ',
        h(Badge, { tone: phaseTone(canary), text: words(status.phase ?? 'not looked at yet') }),
      ),
      h('p', { class: 'quiet' }, `${spec.targetRef.kind} ${spec.targetRef.name}`),
    ),
    h(Outdated, { error }),
    h(Why, { canary }),
    h(Track, { canary }),
    h(Sides, { canary, graph }),
    round === undefined
      ? null
      : h(LastCheck, { round, threshold: spec.analysis.threshold, failed: status.failedChecks }),
    round === undefined ? null : h(Durations, { round }),
    h(Checks, { rounds: status.rounds ?? [] }),
    h(Conditions, { canary }),
    h(Releases, { releases: status.history ?? [] }),
  );
}

/** Why it stands where it stands; the sentence is the operator's own. */
function Why({ canary }: { readonly canary: Canary }): JSX.Element {
  const { status = {} } = canary;
  const tone = phaseTone(canary);
  const title =
    status.phase === 'Waiting'
      ? 'It waits'
      : status.phase === 'Failed'
        ? 'It was given up'
        : isUnderWay(canary)
          ? 'It goes on'
          : 'It is at rest';
  const hold = status.hold;
  return h(Notice, {
    tone: tone === 'accent' ? 'plain' : tone,
    children: [
      h('b', {}, title, ': '),
      messageOf(status) ?? 'the operator has not looked at it yet',
      hold === undefined
        ? null
        : h('p', { class: 'quiet' }, `Held back: ${words(hold.point)}, since ${clock(Date.parse(hold.since))}.`),
      status.command === undefined
        ? null
        : h('p', { class: 'quiet' }, `Last command ${status.command.value}: ${status.command.message}.`),
    ],
  });
}

function Track({ canary }: { readonly canary: Canary }): JSX.Element {
  const states = { done: 'done', now: 'now', failed: 'failed here', ahead: 'ahead' } as const;
  return h(
    'ol',
    { class: 'track', 'aria-label': 'Steps of the release' },
    stagesOf(canary).map(({ title, state }) =>
      h(
        'li',
        { key: title, class: state, ...(state === 'now' ? { 'aria-current': 'step' as const } : {}) },
        h(
          'span',
          { class: 'dot' },
          state === 'done' ? h(Icon, { name: 'check' }) : state === 'failed' ? h(Icon, { name: 'cross' }) : null,
        ),
        h('span', {}, title),
        h('span', { class: 'hidden' }, `, ${states[state]}`),
      ),
    ),
  );
}

function LastCheck({
  round,
  threshold,
  failed,
}: {
  readonly round: AnalysisRound;
  readonly threshold: number;
  readonly failed: number | undefined;
}): JSX.Element {
  const now = useNow();
  const { inputs } = round;
  return h(
    'section',
    {},
    h('h2', {}, 'Last check ', h(Badge, { tone: verdictTone(round.verdict), text: words(round.verdict) })),
    h(
      'p',
      { class: 'quiet' },
      `${span(now - Date.parse(round.time))} ago, at ${inputs.weight}%, over ${span(inputs.elapsedMs)}. ${plural(failed ?? 0, 'check')} of this release failed; ${threshold} end it. It is judged with ${inputs.confidence}% confidence.`,
    ),
    round.message === undefined ? null : h('p', {}, round.message),
    inputs.complete
      ? null
      : h(Notice, { tone: 'warn' }, `Counts are missing: ${inputs.missing?.join(', ') ?? 'of some pods'}.`),
    h(RoundTable, { round }),
  );
}

function Checks({ rounds }: { readonly rounds: readonly AnalysisRound[] }): JSX.Element | null {
  if (rounds.length < 2) return null;
  return h(
    'section',
    {},
    h('h2', {}, 'Checks before'),
    h(Table<AnalysisRound>, {
      caption: 'The last checks',
      keyOf: ({ time, step }) => `${time} ${step}`,
      rows: rounds.slice(1),
      empty: '',
      columns: [
        { title: 'When', cell: ({ time }) => clock(Date.parse(time)) },
        { title: 'Revision', cell: ({ revision }) => h('code', {}, revision) },
        { title: 'Weight', number: true, cell: ({ inputs }) => `${inputs.weight}%` },
        { title: 'Verdict', cell: ({ verdict }) => h(Badge, { tone: verdictTone(verdict), text: words(verdict) }) },
        { title: 'Why', cell: ({ message }) => message ?? '' },
      ],
    }),
  );
}

function Conditions({ canary }: { readonly canary: Canary }): JSX.Element | null {
  const { conditions = [] } = canary.status ?? {};
  if (conditions.length === 0) return null;
  return h(
    'section',
    {},
    h('h2', {}, 'Conditions'),
    h(
      'dl',
      { class: 'conditions' },
      conditions.map(({ type, status, reason, message }) =>
        h(
          'div',
          { key: type },
          h('dt', {}, type, ' ', h('span', { class: 'quiet' }, status === 'True' ? reason : `${status}: ${reason}`)),
          h('dd', {}, message),
        ),
      ),
    ),
  );
}

function Releases({ releases }: { readonly releases: readonly PastRelease[] }): JSX.Element | null {
  if (releases.length === 0) return null;
  const tone = (outcome: string) => (outcome === 'Promoted' ? 'good' : outcome === 'GivenUp' ? 'bad' : 'plain');
  return h(
    'section',
    {},
    h('h2', {}, 'Releases'),
    h(Table<PastRelease>, {
      caption: 'The last releases',
      keyOf: ({ revision, startTime }) => `${revision} ${startTime}`,
      rows: releases,
      empty: '',
      columns: [
        { title: 'Revision', cell: ({ revision }) => h('code', {}, revision) },
        {
          title: 'Began',
          cell: ({ startTime }) =>
            new Date(startTime).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }),
        },
        {
          title: 'Took',
          number: true,
          cell: ({ startTime, endTime }) =>
            endTime === undefined ? '' : span(Date.parse(endTime) - Date.parse(startTime)),
        },
        {
          title: 'Outcome',
          cell: ({ outcome }) =>
            outcome === undefined
              ? h(Badge, { tone: 'accent', text: 'under way' })
              : h(Badge, { tone: tone(outcome), text: words(outcome) }),
        },
        { title: 'Why', cell: ({ message }) => message ?? '' },
      ],
    }),
  );
}
