import { h, type JSX } from 'preact';
import { changed, type Route } from './route.ts';

/** Which namespace a view is about; it stands in the address. */
export function NamespaceChoice({
  route,
  names,
}: {
  readonly route: Route;
  readonly names: readonly string[];
}): JSX.Element | null {
  const { ns = '' } = route.query;
  const all = [...new Set([...names, ns])].filter((name) => name !== '').sort();
  if (all.length < 2 && ns === '') return null;
  const onChange = (event: Event) => {
    location.hash = changed(route, {
      ns: (event.target as HTMLSelectElement).value,
      sel: undefined,
      call: undefined,
      focus: undefined,
      // An object of one namespace is not in another.
      ...(route.query.name === undefined ? {} : { kind: undefined, name: undefined }),
    });
  };
  return h(
    'label',
    { class: 'choice' },
    h('span', {}, 'Namespace'),
    h(
      'select',
      { value: ns, onChange },
      h('option', { value: '' }, 'all'),
      all.map((name) => h('option', { key: name, value: name }, name)),
    ),
  );
}
