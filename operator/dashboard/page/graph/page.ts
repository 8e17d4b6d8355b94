import { h, type JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Incomplete, Waiting } from '../completeness.ts';
import { NamespaceChoice } from '../namespace-choice.ts';
import { useLive } from '../remote.ts';
import { changed, type Route } from '../route.ts';
import { Canvas } from './canvas.ts';
import { pictureOf } from './picture.ts';
import { Side } from './side.ts';

/** The live graph, and beside it what is chosen, or what deserves a look. Escape lets go of what is chosen. */
export function GraphPage({ route }: { readonly route: Route }): JSX.Element {
  const { data: view, error } = useLive();
  const { ns, focus, open } = route.query;
  const picture = useMemo(() => {
    if (view === undefined) return undefined;
    const opened = open === undefined ? undefined : open === '*' ? 'all' : new Set(open.split(','));
    return pictureOf(view, {
      ...(opened === undefined ? {} : { open: opened }),
      ...(ns === undefined ? {} : { namespace: ns }),
      ...(focus === undefined ? {} : { focus }),
    });
  }, [view, ns, focus, open]);
  if (view === undefined || picture === undefined) return h(Waiting, { error, what: 'the graph' });
  const several = picture.groups.length > 1;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') location.hash = changed(route, { sel: undefined, call: undefined, focus: undefined });
  };
  return h(
    'div',
    { class: 'graph-page', onKeyDown },
    h('h1', { class: 'hidden' }, 'Service graph'),
    h(
      'div',
      { class: 'toolbar' },
      h(NamespaceChoice, { route, names: view.nodes.map(({ namespace }) => namespace) }),
      several && focus === undefined && picture.groups.some((group) => !group.open)
        ? h('a', { class: 'button', href: changed(route, { open: '*' }) }, 'Open all')
        : null,
      several && focus === undefined && picture.groups.some((group) => group.open)
        ? h('a', { class: 'button', href: changed(route, { open: 'none' }) }, 'Close all')
        : null,
      focus === undefined
        ? null
        : h('a', { class: 'button', href: changed(route, { focus: undefined }) }, 'Show everything'),
      h(
        'span',
        { class: 'toolbar-note' },
        `The last ${view.seconds} s${view.source === 'prometheus' ? ', from Prometheus' : ''}`,
      ),
      h(Incomplete, { view }),
    ),
    h(
      'div',
      { class: 'graph' },
      picture.items.length === 0
        ? h(
            'p',
            { class: 'empty' },
            `No service${ns === undefined ? '' : ` of ${ns}`} has a sidecar, or has made a call, yet. Label ${ns === undefined ? 'a' : 'the'} namespace heddle.dev/injection=enabled and restart its pods.`,
          )
        : h(Canvas, { view, picture, route, shape: `${ns} ${focus} ${open}` }),
      h(Side, { view, picture, route }),
    ),
  );
}
