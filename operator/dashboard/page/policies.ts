import { h, type JSX } from 'preact';
import type { PoliciesView, PolicyView } from '../../../api/view/control-plane-view.ts';
import { words } from './canary/words.ts';
import { Outdated, Waiting } from './completeness.ts';
import { Badge, Meter, type Tone, Value } from './figure.ts';
import { NamespaceChoice } from './namespace-choice.ts';
import { useAnswer } from './remote.ts';
import { changed, type Route } from './route.ts';
import { Table } from './table.ts';
import { ViewHead } from './view-head.ts';

/** Every policy, what its conditions say, and at how many proxies it is in force. */
export function PoliciesPage({ route }: { readonly route: Route }): JSX.Element {
  const { data, error } = useAnswer<PoliciesView>('api/policies', { topic: 'policies' });
  if (data === undefined) return h(Waiting, { error, what: 'the policies' });
  const { ns, kind, only, name } = route.query;
  const own = data.policies.filter(({ namespace }) => ns === undefined || namespace === ns);
  const chosen = own.filter(
    (policy) => (kind === undefined || policy.kind === kind) && (name === undefined || policy.name === name),
  );
  const wrong = chosen.filter((policy) => stateOf(policy).tone !== 'good');
  const kinds = [...new Set([...own.map((policy) => policy.kind), ...(kind === undefined ? [] : [kind])])].sort();
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, { title: 'Policies', about: 'Objects that change what the mesh does, and what has become of them.' }),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, { route, names: data.policies.map(({ namespace }) => namespace) }),
      h(
        'label',
        { class: 'choice' },
        h('span', {}, 'Kind'),
        h(
          'select',
          {
            value: kind ?? '',
            onChange: (event: Event) => {
              location.hash = changed(route, { kind: (event.target as HTMLSelectElement).value, name: undefined });
            },
          },
          h('option', { value: '' }, 'all'),
          kinds.map((each) => h('option', { key: each, value: each }, each)),
        ),
      ),
      h(
        'a',
        {
          class: 'button',
          href: changed(route, { only: only === 'wrong' ? undefined : 'wrong' }),
          ...(only === 'wrong' ? { 'aria-current': 'true' as const } : {}),
        },
        `Not wholly in force: ${wrong.length}`,
      ),
      name === undefined
        ? null
        : h(
            'a',
            { class: 'button', href: changed(route, { name: undefined, kind: undefined }) },
            `Only ${name}: show all`,
          ),
    ),
    h(Outdated, { error }),
    h(Table<PolicyView>, {
      caption: 'Policies with their conditions',
      keyOf: (policy) => `${policy.kind} ${policy.namespace}/${policy.name}`,
      rows: only === 'wrong' ? wrong : chosen,
      empty:
        data.policies.length === 0
          ? 'There is no policy: every call is allowed, and mesh mTLS is used where both sides can.'
          : 'None is like that.',
      tone: (policy) => `row-${stateOf(policy).tone}`,
      columns: [
        {
          title: 'Name',
          sort: (policy) => `${policy.namespace}/${policy.name}`,
          cell: (policy) =>
            h('span', { class: 'row-name' }, h('b', {}, policy.name), h('span', { class: 'quiet' }, policy.namespace)),
        },
        { title: 'Kind', sort: (policy) => policy.kind, cell: (policy) => policy.kind },
        { title: 'State', sort: (policy) => stateOf(policy).text, cell: (policy) => h(Badge, stateOf(policy)) },
        {
          title: 'In force',
          number: true,
          sort: (policy) => policy.inForce?.proxies,
          cell: (policy) => h(InForce, { policy }),
        },
      ],
      more: (policy) => h(Said, { policy }),
    }),
  );
}

function InForce({ policy }: { readonly policy: PolicyView }): JSX.Element {
  const { inForce } = policy;
  if (inForce === undefined) return h(Value, { text: undefined });
  if (inForce.of === 0) return h('span', { class: 'quiet' }, 'about no proxy');
  const text = `${inForce.proxies} of ${inForce.of}`;
  return h(
    'span',
    { class: 'with-line' },
    h(Meter, {
      share: inForce.proxies / inForce.of,
      label: `in force at ${text} proxies`,
      tone: inForce.proxies < inForce.of ? 'warn' : '',
    }),
    h('span', { class: 'value' }, text),
  );
}

/** Conditions that are as they should be take a line; others say why. */
function Said({ policy }: { readonly policy: PolicyView }): JSX.Element {
  return h(
    'ul',
    { class: 'said' },
    policy.conditions.map(({ type, status, reason, message }) =>
      h(
        'li',
        { key: type },
        h(
          'span',
          { class: `said-type said-${status}` },
          type,
          status === 'True' ? '' : `: ${status === 'False' ? 'no' : 'unknown'}`,
        ),
        ' ',
        status === 'True' ? null : h('span', { class: 'quiet' }, `${words(reason)}. `),
        message,
      ),
    ),
  );
}

/** What has become of a policy, in a word. */
export function stateOf({ conditions, inForce }: PolicyView): { readonly tone: Tone; readonly text: string } {
  const accepted = conditions.find(({ type }) => type === 'Accepted');
  const degraded = conditions.find(({ type, status }) => type === 'Degraded' && status === 'True');
  if (conditions.length === 0) return { tone: 'warn', text: 'not looked at yet' };
  if (accepted?.status === 'False') return { tone: 'bad', text: words(accepted.reason) };
  if (degraded !== undefined) return { tone: 'warn', text: 'degraded' };
  if (inForce === undefined) return { tone: 'warn', text: 'unknown where in force' };
  if (inForce.of === 0) return { tone: 'warn', text: 'about no proxy' };
  return inForce.proxies < inForce.of
    ? { tone: 'warn', text: 'not everywhere yet' }
    : { tone: 'good', text: 'in force' };
}
