import { type FunctionComponent, h, type JSX, render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CallPage } from './call.ts';
import { CanariesPage } from './canary/list.ts';
import { CanaryPage } from './canary/page.ts';
import { clock } from './format.ts';
import { GraphPage } from './graph/page.ts';
import { failingEdges } from './health.ts';
import { Icon } from './icon.ts';
import { ChosenNamespace } from './kept-namespace.ts';
import { MeshPage } from './mesh.ts';
import { PoliciesPage } from './policies.ts';
import { ProxiesPage } from './proxies.ts';
import { RefusalsPage } from './refusals.ts';
import { type Live, listen, useLive } from './remote.ts';
import { href, parseRoute, type Route } from './route.ts';
import { Search } from './search.ts';
import { ServicePage } from './service.ts';
import { ServicesPage } from './services.ts';

interface View {
  readonly title: string;
  readonly page: FunctionComponent<{ readonly route: Route }>;
  /** In the list of views; others are reached from one of these, which it names. */
  readonly listed: true | string;
}

const VIEWS: Readonly<Record<string, View>> = {
  graph: { title: 'Graph', page: GraphPage, listed: true },
  services: { title: 'Services', page: ServicesPage, listed: true },
  canaries: { title: 'Canaries', page: CanariesPage, listed: true },
  policies: { title: 'Policies', page: PoliciesPage, listed: true },
  refused: { title: 'Refused', page: RefusalsPage, listed: true },
  proxies: { title: 'Proxies', page: ProxiesPage, listed: true },
  mesh: { title: 'Mesh', page: MeshPage, listed: true },
  service: { title: 'Service', page: ServicePage, listed: 'services' },
  call: { title: 'Call', page: CallPage, listed: 'services' },
  canary: { title: 'Canary', page: CanaryPage, listed: 'canaries' },
};

function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const onChange = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return route;
}

function Page(): JSX.Element {
  const route = useRoute();
  const live = useLive();
  const name = route.path[0] !== undefined && Object.hasOwn(VIEWS, route.path[0]) ? route.path[0] : 'graph';
  const view = VIEWS[name] as View;
  const main = useRef<HTMLElement>(null);
  const about = route.path.slice(1).join(' ');
  const { ns } = route.query;
  const first = useRef(true);
  useEffect(() => {
    document.title = `${about === '' ? view.title : about} · Heddle`;
    // Who comes by keyboard or hears the page goes on in the new view.
    if (!first.current) main.current?.focus({ preventScroll: true });
    if (!first.current) scrollTo(0, 0);
    first.current = false;
  }, [name, about]);
  const whole = h(
    'div',
    { class: `page ${live.state === 'lost' ? 'stale' : ''}` },
    h(
      'a',
      {
        class: 'skip',
        href: '#main',
        onClick: (event: Event) => {
          event.preventDefault();
          main.current?.focus();
        },
      },
      'To the content',
    ),
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'brand', href: href(['graph'], { ns }) }, 'Heddle'),
      h(
        'nav',
        { 'aria-label': 'Views' },
        Object.entries(VIEWS)
          .filter(([, { listed }]) => listed === true)
          .map(([key, { title }]) =>
            h(
              'a',
              {
                key,
                href: href([key], { ns }),
                ...(key === name || view.listed === key ? { 'aria-current': 'page' as const } : {}),
              },
              title,
            ),
          ),
      ),
      h(Search, { route }),
      h(Pulse, { live }),
    ),
    live.state === 'lost'
      ? h(
          'div',
          { class: 'stale-banner', role: 'alert' },
          h(Icon, { name: 'warn' }),
          h(
            'span',
            {},
            live.heardAt === undefined
              ? 'The operator does not answer. It is tried again.'
              : `No word from the operator since ${clock(live.heardAt)}. What you see is from then; it is tried again.`,
          ),
        )
      : null,
    h('main', { id: 'main', ref: main, tabIndex: -1, key: `${name} ${about}` }, h(view.page, { route })),
  );
  return h(ChosenNamespace.Provider, { value: ns }, whole);
}

/** Whether all is well, in a few words. */
function Pulse({ live }: { readonly live: Live }): JSX.Element {
  const failing = live.data === undefined ? 0 : failingEdges(live.data).length;
  const [tone, text] =
    live.state === 'connecting'
      ? ['plain', 'connecting']
      : live.state === 'lost'
        ? ['warn', 'not live']
        : failing > 0
          ? ['bad', `${failing} failing`]
          : ['good', 'live'];
  return h(
    'a',
    { class: `pulse pulse-${tone}`, href: href(['graph']), 'aria-label': `State: ${text}` },
    h('i', { 'aria-hidden': true }),
    text,
  );
}

const place = document.getElementById('page');
if (place !== null) {
  listen();
  place.replaceChildren();
  render(h(Page, {}), place);
}
