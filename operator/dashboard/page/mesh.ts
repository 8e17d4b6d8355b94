import { h, type JSX } from 'preact';
import type {
  CertificateView,
  ControlPlaneView,
  ProxyState,
  ReplicaView,
} from '../../../api/view/control-plane-view.ts';
import { Outdated, Waiting } from './completeness.ts';
import { Badge, Meter, Value } from './figure.ts';
import { count, plural } from './format.ts';
import { Expiry, PROXY_STATES } from './proxies.ts';
import { useAnswer, useNow } from './remote.ts';
import { href } from './route.ts';
import { Table } from './table.ts';
import { ViewHead } from './view-head.ts';

/** A certificate of the control plane that ends sooner deserves a look. */
const SOON_MS = 7 * 86_400_000;

/** Whether the mesh itself is well: replicas of the operator, proxies in sum, certificates. */
export function MeshPage(): JSX.Element {
  const now = useNow(10_000);
  const { data, error } = useAnswer<ControlPlaneView>('api/control-plane', { topic: 'control-plane' });
  if (data === undefined) return h(Waiting, { error, what: 'the state of the mesh' });
  const { proxies, replicas, certificates } = data;
  const states = (Object.keys(PROXY_STATES) as ProxyState[]).map((state) => [state, proxies[state]] as const);
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, { title: 'The mesh', about: `Heddle ${data.version}, trust domain ${data.trustDomain}` }),
    h(Outdated, { error }),
    h('section', {}, h('h2', {}, 'Replicas of the operator'), h(Replicas, { replicas })),
    h(
      'section',
      {},
      h('h2', {}, plural(proxies.total, 'proxy', 'proxies')),
      h(
        'ul',
        { class: 'states' },
        states.map(([state, number]) =>
          h(
            'li',
            { key: state, class: number > 0 ? `tone-${PROXY_STATES[state].tone}` : 'none' },
            h('a', { href: href(['proxies'], { state }) }, h('b', {}, count(number)), h('span', {}, state)),
            h(Meter, {
              share: proxies.total === 0 ? 0 : number / proxies.total,
              label: `${number} of ${proxies.total}`,
              tone: PROXY_STATES[state].tone,
            }),
            h('span', { class: 'quiet' }, PROXY_STATES[state].about),
          ),
        ),
      ),
    ),
    h('section', {}, h('h2', {}, 'Certificates'), h(Certificates, { certificates, now })),
  );
}

function Replicas({ replicas }: { readonly replicas: readonly ReplicaView[] }): JSX.Element {
  return h(Table<ReplicaView>, {
    caption: 'Replicas of the operator',
    rows: replicas,
    keyOf: ({ name }) => name,
    empty: 'No replica is known.',
    tone: (replica) => `row-${stateOf(replica).tone}`,
    columns: [
      {
        title: 'Pod',
        cell: ({ name, leader }) =>
          h(
            'span',
            { class: 'row-name' },
            h('b', {}, name),
            leader ? h('span', { class: 'quiet' }, 'leads: it writes status and drives canaries') : null,
          ),
      },
      { title: 'State', cell: (replica) => h(Badge, stateOf(replica)) },
      { title: 'Streams', number: true, cell: ({ streams }) => h(Value, { text: count(streams) }) },
    ],
    more: ({ problems }) =>
      problems === undefined || problems.length === 0
        ? null
        : h(
            'ul',
            { class: 'said' },
            problems.map((problem) => h('li', { key: problem }, problem)),
          ),
  });
}

function stateOf({ heard, problems }: ReplicaView) {
  if (!heard) return { tone: 'bad', text: 'not heard' } as const;
  if (problems === undefined) return { tone: 'plain', text: 'heard, readiness unknown' } as const;
  return problems.length === 0
    ? ({ tone: 'good', text: 'ready' } as const)
    : ({ tone: 'bad', text: 'not ready' } as const);
}

function Certificates({
  certificates,
  now,
}: {
  readonly certificates: readonly CertificateView[];
  readonly now: number;
}): JSX.Element {
  return h(Table<CertificateView>, {
    caption: 'Certificates of the control plane',
    rows: certificates,
    keyOf: ({ name, serial }) => `${name} ${serial}`,
    empty: 'None is known.',
    columns: [
      {
        title: 'Certificate',
        cell: ({ name, subject }) =>
          h('span', { class: 'row-name' }, h('b', {}, name), h('span', { class: 'quiet' }, subject)),
      },
      {
        title: 'Ends',
        number: true,
        sort: ({ notAfter }) => notAfter,
        cell: ({ notAfter }) => h(Expiry, { notAfter, now, soonMs: SOON_MS }),
      },
      { title: 'Life so far', cell: ({ notBefore, notAfter }) => h(Life, { notBefore, notAfter, now }) },
      { title: 'Serial', minor: true, cell: ({ serial }) => h('code', { class: 'long' }, serial) },
    ],
  });
}

function Life({
  notBefore,
  notAfter,
  now,
}: {
  readonly notBefore: string;
  readonly notAfter: string;
  readonly now: number;
}): JSX.Element {
  const [from, to] = [Date.parse(notBefore), Date.parse(notAfter)];
  if (!(to > from)) return h(Value, { text: undefined });
  const share = (now - from) / (to - from);
  return h(Meter, {
    share,
    label: `${Math.round(share * 100)}% of its life is over`,
    tone: share >= 1 ? 'bad' : share > 0.9 ? 'warn' : '',
  });
}
