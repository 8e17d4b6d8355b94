import { h, type JSX } from 'preact';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { PoliciesView, ProxiesView } from '../../../api/view/control-plane-view.ts';
import type { Canaries } from './canary/list.ts';
import { nameOf } from './health.ts';
import { Icon } from './icon.ts';
import { useHref } from './kept-namespace.ts';
import { useAnswer, useLive } from './remote.ts';
import type { Route } from './route.ts';

interface Found {
  readonly name: string;
  readonly about: string;
  readonly href: string;
}

const MOST = 9;

/** Finds services, canaries, policies and pods by a part of their name. The key `/` leads here from anywhere. */
export function Search({ route }: { readonly route: Route }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const found = useFound(text, open, route);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const where = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(where.tagName))
        return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const go = (one: Found) => {
    location.hash = one.href;
    setOpen(false);
    setText('');
    input.current?.blur();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = found[at];
    if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (event.key === 'Enter' && chosen !== undefined) go(chosen);
    else if (event.key === 'Escape') {
      setOpen(false);
      setText('');
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  const shown = open && text.trim() !== '';
  return h(
    'div',
    { class: 'search', role: 'search' },
    h(Icon, { name: 'search' }),
    h('input', {
      ref: input,
      type: 'text',
      role: 'combobox',
      placeholder: 'Search',
      autocomplete: 'off',
      spellcheck: false,
      'aria-label': 'Search services, canaries, policies and pods',
      'aria-expanded': shown,
      'aria-controls': id,
      'aria-autocomplete': 'list',
      ...(shown && found.length > 0 ? { 'aria-activedescendant': `${id}-${at}` } : {}),
      value: text,
      onInput: (event: Event) => {
        setText((event.target as HTMLInputElement).value);
        setOpen(true);
        setAt(0);
      },
      onFocus: () => setOpen(true),
      onBlur: () => setOpen(false),
      onKeyDown,
    }),
    h('kbd', { 'aria-hidden': true }, '/'),
    h(
      'ul',
      { class: 'found', id, role: 'listbox', 'aria-label': 'Found', hidden: !shown },
      shown && found.length === 0
        ? h(
            'li',
            { class: 'quiet', role: 'option', 'aria-selected': false, 'aria-disabled': true },
            'Nothing of this name',
          )
        : null,
      shown
        ? found.map((one, index) =>
            h(
              'li',
              {
                // Not its address: all pods of a namespace lead to the same.
                key: `${one.about} ${one.name}`,
                id: `${id}-${index}`,
                role: 'option',
                'aria-selected': index === at,
                class: index === at ? 'at' : '',
                onPointerDown: (event: Event) => {
                  // Before the field loses the focus and the list is gone.
                  event.preventDefault();
                  go(one);
                },
              },
              h('b', {}, one.name),
              h('span', { class: 'quiet' }, one.about),
            ),
          )
        : null,
    ),
  );
}

function useFound(text: string, open: boolean, route: Route): Found[] {
  const to = useHref();
  const { ns } = route.query;
  const { data: graph } = useLive();
  const wanted = text.trim().toLowerCase();
  const ask = open && wanted !== '';
  const { data: canaries } = useAnswer<Canaries>(ask ? 'api/canaries' : undefined);
  const { data: policies } = useAnswer<PoliciesView>(ask ? 'api/policies' : undefined);
  const { data: proxies } = useAnswer<ProxiesView>(ask ? 'api/proxies' : undefined);
  const inGraph = route.path[0] === undefined || route.path[0] === 'graph';
  return useMemo(() => {
    if (!ask) return [];
    const all: Found[] = [
      ...(graph?.nodes ?? []).map((node) => {
        const { id, namespace, kind } = node;
        return {
          name: nameOf(id, node),
          about: kind === 'workload' ? `service in ${namespace}` : 'outside the mesh',
          href: inGraph || kind !== 'workload' ? to(['graph'], { focus: id, sel: id }) : to(['service', id]),
        };
      }),
      ...(canaries?.canaries ?? []).map(({ metadata }) => ({
        name: metadata.name,
        about: `Canary in ${metadata.namespace}`,
        href: to(['canary', metadata.namespace, metadata.name]),
      })),
      ...(policies?.policies ?? []).map(({ kind, namespace, name }) => ({
        name,
        about: `${kind} in ${namespace}`,
        href: to(['policies'], { kind, ns: namespace, name }),
      })),
      ...(proxies?.proxies ?? []).map(({ pod, namespace }) => ({
        name: pod,
        about: `pod in ${namespace}`,
        href: to(['proxies'], { ns: namespace }),
      })),
    ];
    const rank = (name: string) => (name.toLowerCase().startsWith(wanted) ? 0 : 1);
    const matching = all.filter(({ name, about }) => `${name} ${about}`.toLowerCase().includes(wanted));
    return matching.sort((a, b) => rank(a.name) - rank(b.name)).slice(0, MOST);
  }, [graph, canaries, policies, proxies, wanted, ask, inGraph, ns]);
}
