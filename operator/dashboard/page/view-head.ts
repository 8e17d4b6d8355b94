import { h, type JSX } from 'preact';

/** What a view is called, and a sentence about it. */
export function ViewHead({ title, about }: { readonly title: string; readonly about: string }): JSX.Element {
  return h('header', { class: 'view-head' }, h('h1', {}, title), h('p', { class: 'quiet' }, about));
}
