import { h, type JSX } from 'preact';
import type { Canary } from '../../../../api/canary.ts';
import { Outdated, Waiting } from '../completeness.ts';
import { Badge, Meter, Value } from '../figure.ts';
import { count } from '../format.ts';
import { useHref } from '../kept-namespace.ts';
import { NamespaceChoice } from '../namespace-choice.ts';
import { useAnswer } from '../remote.ts';
import type { Route } from '../route.ts';
import { ViewHead } from '../view-head.ts';
import { isUnderWay, messageOf } from './progress.ts';
import { phaseTone, spaced, words } from './words.ts';

export interface Canaries {
  readonly canaries: readonly Canary[];
}

/** All canaries, those with a release under way first. */
export function CanariesPage({ route }: { readonly route: Route }): JSX.Element {
  const { data, error } = useAnswer<Canaries>('api/canaries', { topic: 'canaries' });
  if (data === undefined) return h(Waiting, { error, what: 'the canaries' });
  const { ns } = route.query;
  const rank = (canary: Canary) => (isUnderWay(canary) ? 0 : canary.status?.phase === 'Failed' ? 1 : 2);
  const title = ({ metadata }: Canary) => `${metadata.namespace}/${metadata.name}`;
  const shown = data.canaries
    .filter(({ metadata }) => ns === undefined || metadata.namespace === ns)
    .sort((a, b) => rank(a) - rank(b) || title(a).localeCompare(title(b)));
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, { title: 'Canaries', about: 'How new revisions are tried, step by step.' }),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, { route, names: data.canaries.map(({ metadata }) => metadata.namespace) }),
    ),
    h(Outdated, { error }),
    shown.length === 0
      ? h(
          'p',
          { class: 'empty' },
          ns === undefined
            ? 'There is no Canary. One that names a Deployment in spec.targetRef has its next revision tried.'
            : `There is no Canary in ${ns}.`,
        )
      : h(
          'ul',
          { class: 'canaries' },
          shown.map((canary) => h(Line, { key: title(canary), canary })),
        ),
  );
}

function Line({ canary }: { readonly canary: Canary }): JSX.Element {
  const to = useHref();
  const { metadata, spec, status = {} } = canary;
  const { weight } = status;
  return h(
    'li',
    {},
    h(
      'a',
      { class: 'canary-line', href: to(['canary', metadata.namespace, metadata.name]) },
      h(
        'span',
        { class: 'row-name' },
        h('b', {}, metadata.name),
        h('span', { class: 'quiet' }, `${metadata.namespace}, ${spec.targetRef.kind} ${spec.targetRef.name}`),
      ),
      h(Badge, { tone: phaseTone(canary), text: words(status.phase ?? 'not looked at yet') }),
      h(
        'span',
        { class: 'canary-weight' },
        status.canaryRevision === undefined || weight === undefined
          ? null
          : [
              h(Meter, { share: weight / 100, label: `${weight}% of the requests`, tone: 'canary' }),
              h('span', { class: 'number' }, `${weight}%`),
            ],
      ),
      h(
        'span',
        { class: 'canary-figures' },
        h(Value, { text: status.metrics?.successRate, none: '' }),
        h(Value, { text: spaced(status.metrics?.p99), none: '' }),
        h(
          'span',
          { class: 'quiet' },
          status.metrics?.requests === undefined ? '' : `${count(status.metrics.requests)} requests`,
        ),
      ),
      h('span', { class: 'canary-message' }, messageOf(status) ?? 'The operator has not looked at it yet.'),
    ),
  );
}
