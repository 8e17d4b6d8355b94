import { h, type JSX } from 'preact';
import type { RefusalsView, RefusalView } from '../../../api/view/control-plane-view.ts';
import { refusalInWords } from '../../../api/view/refusal-reason.ts';
import { Incomplete, Outdated, Waiting } from './completeness.ts';
import { count, plural, span } from './format.ts';
import { useHref } from './kept-namespace.ts';
import { NamespaceChoice } from './namespace-choice.ts';
import { useAnswer } from './remote.ts';
import type { Route } from './route.ts';
import { Table } from './table.ts';
import { ViewHead } from './view-head.ts';

/** Which policies refused what, and why. */
export function RefusalsPage({ route }: { readonly route: Route }): JSX.Element {
  const to = useHref();
  const { data, error } = useAnswer<RefusalsView>('api/refusals?seconds=600', { topic: 'policies', everyMs: 10_000 });
  if (data === undefined) return h(Waiting, { error, what: 'what was refused' });
  const { ns } = route.query;
  const rows = data.refusals
    .filter(({ workload, policy }) => ns === undefined || policy.namespace === ns || workload.startsWith(`${ns}/`))
    .sort((a, b) => b.requests - a.requests);
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, {
      title: 'Refused',
      about: `Requests that policies refused in the last ${span(data.seconds * 1000)}. For one request, heddle explain tells the same beforehand.`,
    }),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, {
        route,
        names: data.refusals.flatMap(({ workload, policy }) => [policy.namespace, workload.split('/')[0] ?? '']),
      }),
      h(Incomplete, { view: data }),
    ),
    h(Outdated, { error }),
    h(Table<RefusalView>, {
      caption: 'What was refused, and by which policy',
      rows,
      keyOf: ({ policy, workload, reason }) =>
        `${policy.kind} ${policy.namespace}/${policy.name} ${workload} ${reason}`,
      empty: `${data.complete ? 'No policy has refused a request' : 'Of no policy it is known that it refused a request'}${ns === undefined ? '' : ` in ${ns}`}.`,
      columns: [
        {
          title: 'At',
          sort: ({ workload }) => workload,
          cell: ({ workload }) =>
            h(
              'a',
              { class: 'row-name', href: to(['service', workload]) },
              h('b', {}, workload.split('/').slice(1).join('/')),
              h('span', { class: 'quiet' }, workload.split('/')[0]),
            ),
        },
        {
          title: 'Requests',
          number: true,
          sort: ({ requests }) => requests,
          cell: ({ requests }) => h('b', {}, count(requests)),
        },
        { title: 'Why', sort: ({ reason }) => reason, cell: ({ reason }) => refusalInWords(reason) },
        {
          title: 'Policy',
          sort: ({ policy }) => `${policy.namespace}/${policy.name}`,
          cell: ({ policy, among }) =>
            h(
              'span',
              { class: 'row-name' },
              h(
                'a',
                { href: to(['policies'], { kind: policy.kind, ns: policy.namespace, name: policy.name }) },
                h('b', {}, policy.name),
              ),
              h('span', { class: 'quiet' }, `${policy.kind} in ${policy.namespace}`),
              among > 1
                ? h(
                    'span',
                    { class: 'quiet' },
                    `or another of ${plural(among, 'policy', 'policies')}: the sidecar does not tell which`,
                  )
                : null,
            ),
        },
      ],
    }),
  );
}
