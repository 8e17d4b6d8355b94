import { h, type JSX } from 'preact';

/** Pictures of 16 by 16, drawn by lines. */
const PATHS = {
  locked: 'M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5',
  partly: 'M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0M8 9.5v2',
  open: 'M4 7.5h8v6H4zM5.5 7.5V4.5a2.5 2.5 0 0 1 4.6-1.3',
  unsure: 'M6 6a2 2 0 1 1 2.6 1.9c-.4.15-.6.5-.6 1V10M8 12.4v.1',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  check: 'M3.5 8.5l3 3 6-7',
  warn: 'M8 2.5l6 10.5H2zM8 6.5v3M8 11.2v.1',
  wait: 'M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 1 0 0-11M8 5v3.2l2 1.3',
  canary: 'M3 13V3M3 5.5h4.5L11 9v4M7.5 5.5L13 3',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  fit: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3',
  search: 'M7 3a4 4 0 1 0 0 8a4 4 0 1 0 0-8M10 10l3.5 3.5',
  arrow: 'M3 8h9.5M9 4.5L12.5 8 9 11.5',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture; with a name where it says something that no word beside it does. */
export function Icon({ name, label }: { readonly name: IconName; readonly label?: string }): JSX.Element {
  const aria = label === undefined ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label };
  return h(
    'svg',
    { class: `icon icon-${name}`, viewBox: '0 0 16 16', ...aria },
    label === undefined ? null : h('title', {}, label),
    h('path', { d: PATHS[name] }),
  );
}

type Mtls = 'all' | 'some' | 'none' | 'unknown';
const LOCKS: Readonly<Record<Mtls, readonly [IconName, string]>> = {
  all: ['locked', 'encrypted by the mesh (mTLS)'],
  some: ['partly', 'only partly encrypted by the mesh'],
  none: ['open', 'not encrypted by the mesh'],
  unknown: ['unsure', 'not known whether it is encrypted'],
};

/** What a lock means, in words. */
export function mtlsInWords(mtls: Mtls): string {
  return LOCKS[mtls][1];
}

/** The lock of a call; `bare` where the words stand beside it. */
export function Lock({ mtls, bare = false }: { readonly mtls: Mtls; readonly bare?: boolean }): JSX.Element {
  const [name, label] = LOCKS[mtls];
  return h('span', { class: `lock lock-${mtls}`, title: label }, h(Icon, bare ? { name } : { name, label }));
}
