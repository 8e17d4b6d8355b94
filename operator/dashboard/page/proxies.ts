import { h, type JSX } from 'preact';
import type { ProxiesView, ProxyState, ProxyView } from '../../../api/view/control-plane-view.ts';
import { Outdated, Waiting } from './completeness.ts';
import { Badge, Notice, type Tone, Value } from './figure.ts';
import { plural, span } from './format.ts';
import { useHref } from './kept-namespace.ts';
import { NamespaceChoice } from './namespace-choice.ts';
import { useAnswer, useNow } from './remote.ts';
import { changed, type Route } from './route.ts';
import { Table } from './table.ts';
import { ViewHead } from './view-head.ts';

export const PROXY_STATES: Readonly<Record<ProxyState, { readonly tone: Tone; readonly about: string }>> = {
  synced: { tone: 'good', about: 'has acknowledged all that it was sent' },
  syncing: { tone: 'accent', about: 'something newer is on its way' },
  stale: { tone: 'warn', about: 'something newer was on its way for more than 10 s' },
  rejected: { tone: 'bad', about: 'it refused something' },
  disconnected: { tone: 'bad', about: 'it has no stream to any replica' },
  unknown: { tone: 'plain', about: 'a replica that may know is not heard' },
};
const ORDER = Object.keys(PROXY_STATES).reverse();
/** A certificate that ends sooner should have been replaced. */
const SOON_MS = 3600_000;

/** Every sidecar: whether it has what it should, what it refused, and how long its certificate holds. */
export function ProxiesPage({ route }: { readonly route: Route }): JSX.Element {
  const now = useNow(5000);
  const to = useHref();
  const { data, error } = useAnswer<ProxiesView>('api/proxies', { topic: 'proxies' });
  if (data === undefined) return h(Waiting, { error, what: 'the proxies' });
  const { ns, state } = route.query;
  const own = data.proxies.filter(({ namespace }) => ns === undefined || namespace === ns);
  const shown = own
    .filter((proxy) => state === undefined || proxy.state === state)
    .sort(
      (a, b) =>
        ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
        `${a.namespace}/${a.pod}`.localeCompare(`${b.namespace}/${b.pod}`),
    );
  const states = (Object.keys(PROXY_STATES) as ProxyState[]).map(
    (each) => [each, own.filter((proxy) => proxy.state === each).length] as const,
  );
  return h(
    'div',
    { class: 'view' },
    h(ViewHead, { title: 'Proxies', about: 'The sidecars, and whether each has what the operator means it to have.' }),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, { route, names: data.proxies.map(({ namespace }) => namespace) }),
      h(
        'span',
        { class: 'switch', role: 'group', 'aria-label': 'Only of one state' },
        h(
          'a',
          {
            class: 'button',
            href: changed(route, { state: undefined }),
            ...(state === undefined ? { 'aria-current': 'true' as const } : {}),
          },
          `all ${own.length}`,
        ),
        states
          .filter(([, number]) => number > 0)
          .map(([each, number]) =>
            h(
              'a',
              {
                key: each,
                class: 'button',
                title: PROXY_STATES[each].about,
                href: changed(route, { state: each }),
                ...(state === each ? { 'aria-current': 'true' as const } : {}),
              },
              `${each} ${number}`,
            ),
          ),
      ),
    ),
    data.complete
      ? null
      : h(Notice, { tone: 'warn' }, 'A replica of the operator is not heard: what it alone knows is shown as unknown.'),
    h(Outdated, { error }),
    h(Table<ProxyView>, {
      caption: 'Proxies and their state',
      rows: shown,
      keyOf: ({ uid }) => uid,
      empty: 'There is no proxy like that.',
      tone: ({ state: own }) => `row-${PROXY_STATES[own]?.tone ?? 'plain'}`,
      columns: [
        {
          title: 'Pod',
          sort: ({ pod }) => pod,
          cell: (proxy) =>
            h('span', { class: 'row-name' }, h('b', {}, proxy.pod), h('span', { class: 'quiet' }, proxy.namespace)),
        },
        {
          title: 'State',
          sort: ({ state: own }) => ORDER.indexOf(own),
          cell: ({ state: own }) => h(Badge, { tone: PROXY_STATES[own]?.tone ?? 'plain', text: own }),
        },
        {
          title: 'Service',
          sort: ({ workload }) => workload,
          cell: ({ workload, namespace }) => h('a', { href: to(['service', `${namespace}/${workload}`]) }, workload),
        },
        { title: 'Holds', cell: (proxy) => h(Held, { proxy }) },
        {
          title: 'Reported',
          number: true,
          sort: ({ lastReport }) => lastReport,
          cell: ({ lastReport }) =>
            h(Value, { text: lastReport === undefined ? undefined : `${span(now - lastReport)} ago` }),
        },
        {
          title: 'Certificate ends',
          number: true,
          sort: ({ certificateNotAfter }) => certificateNotAfter,
          cell: ({ certificateNotAfter }) => h(Expiry, { notAfter: certificateNotAfter, now, soonMs: SOON_MS }),
        },
        {
          title: 'Replica',
          minor: true,
          sort: ({ replica }) => replica,
          cell: ({ replica, node }) =>
            h('span', { class: 'row-name' }, h(Value, { text: replica }), h('span', { class: 'quiet' }, `on ${node}`)),
        },
      ],
      more: ({ rejections }) =>
        rejections.length === 0
          ? null
          : h(
              'ul',
              { class: 'said' },
              rejections.map(({ type, name, message }) =>
                h(
                  'li',
                  { key: `${type} ${name}` },
                  h('span', { class: 'said-type said-False' }, `Refused ${type} `),
                  h('code', {}, name),
                  ': ',
                  h('code', {}, message),
                ),
              ),
            ),
    }),
  );
}

function Held({ proxy }: { readonly proxy: ProxyView }): JSX.Element {
  const types = Object.entries(proxy.types).filter(([, { held }]) => held > 0);
  if (types.length === 0) return h(Value, { text: undefined });
  const held = types.reduce((sum, [, type]) => sum + type.held, 0);
  const stale = types.reduce((sum, [, type]) => sum + type.stale, 0);
  const each = types
    .map(([name, type]) => `${name} ${type.held}${type.stale > 0 ? ` (${type.stale} not the newest)` : ''}`)
    .join(', ');
  return h(
    'span',
    { title: each },
    plural(held, 'resource'),
    stale > 0 ? h('span', { class: 'warn-text' }, `, ${stale} old`) : null,
    proxy.onDemand ? h('span', { class: 'quiet' }, ', on demand') : null,
  );
}

/** When a certificate ends: amber when that is soon, red when it was. */
export function Expiry({
  notAfter,
  now,
  soonMs,
}: {
  readonly notAfter: string | undefined;
  readonly now: number;
  readonly soonMs: number;
}): JSX.Element {
  const end = Date.parse(notAfter ?? '');
  if (Number.isNaN(end)) return h(Value, { text: undefined });
  const left = end - now;
  const title = new Date(end).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
  if (left <= 0) return h('span', { class: 'bad-text', title }, `ended ${span(-left)} ago`);
  return h('span', { class: left < soonMs ? 'warn-text' : '', title }, `in ${span(left)}`);
}
