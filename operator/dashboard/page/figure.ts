import { type ComponentChildren, h, type JSX } from 'preact';
import type { Golden } from '../../../api/view/graph-view.ts';
import { percent } from './format.ts';
import { failedShare, severity } from './health.ts';
import { Icon, type IconName } from './icon.ts';

/** Words for who hears the page, where others see what is meant. */
export function Unseen({ children }: { readonly children?: ComponentChildren }): JSX.Element {
  return h('span', { class: 'hidden' }, children);
}

/** A figure, or the word that it is not known. */
export function Value({
  text,
  none = 'unknown',
}: {
  readonly text: string | undefined;
  readonly none?: string;
}): JSX.Element {
  return text === undefined ? h('span', { class: 'unknown' }, none) : h('span', { class: 'value' }, text);
}

/** A figure with its name above. */
export function Figure(props: {
  readonly name: string;
  readonly text: string | undefined;
  readonly none?: string;
  readonly tone?: string;
  readonly note?: string;
}): JSX.Element {
  const { name, text, none, tone = '', note } = props;
  return h(
    'div',
    { class: `figure ${tone}` },
    h('dt', {}, name),
    h('dd', {}, h(Value, { text, ...(none === undefined ? {} : { none }) })),
    note === undefined ? null : h('dd', { class: 'note' }, note),
  );
}

/** The share of calls that fail, red where it stands out. */
export function Failed({
  golden,
  none = 'no calls',
}: {
  readonly golden: Golden | undefined;
  readonly none?: string;
}): JSX.Element {
  const share = failedShare(golden);
  if (share === undefined) return h(Value, { text: undefined, none });
  return h('span', { class: `failed failed-${severity(golden)}` }, percent(share));
}

export type Tone = 'good' | 'bad' | 'warn' | 'plain' | 'accent';
const ICONS: Readonly<Partial<Record<Tone, IconName>>> = { good: 'check', bad: 'cross', warn: 'warn' };

/** A state in a word, with a picture beside its colour. */
export function Badge({
  tone,
  text,
  icon,
}: {
  readonly tone: Tone;
  readonly text: string;
  readonly icon?: IconName;
}): JSX.Element {
  const name = icon ?? ICONS[tone];
  return h('span', { class: `badge badge-${tone}` }, name === undefined ? null : h(Icon, { name }), text);
}

/** A sentence that stands out of the page. */
export function Notice({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return h(
    'div',
    { class: `notice notice-${tone}`, role: tone === 'bad' ? 'alert' : 'status' },
    h(Icon, { name: ICONS[tone] ?? 'wait' }),
    h('div', {}, children),
  );
}

/** A full bar of which a part is taken, 0 to 1. */
export function Meter({
  share,
  label,
  tone = '',
}: {
  readonly share: number;
  readonly label: string;
  readonly tone?: string;
}): JSX.Element {
  const width = `${Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10}%`;
  return h(
    'span',
    { class: `meter ${tone}`, role: 'img', 'aria-label': label, title: label },
    h('span', { class: 'meter-fill', style: { width } }),
  );
}
