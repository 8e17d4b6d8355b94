import { h, type JSX } from 'preact';
import type { Completeness } from '../../../api/view/graph-view.ts';
import { Notice } from './figure.ts';
import { plural } from './format.ts';
import { Icon } from './icon.ts';

/** Says what figures are missing, where some are. */
export function Incomplete({ view }: { readonly view: Completeness }): JSX.Element | null {
  if (view.complete) return null;
  return h(
    'details',
    { class: 'incomplete' },
    h(
      'summary',
      {},
      h(Icon, { name: 'warn' }),
      view.missing.length === 0
        ? 'Some figures are missing'
        : `Figures are missing: ${plural(view.missing.length, 'reason')}`,
    ),
    h(
      'ul',
      {},
      view.missing.map((sentence) => h('li', { key: sentence }, sentence)),
    ),
  );
}

/** In place of what has not come yet. */
export function Waiting({ error, what }: { readonly error: string | undefined; readonly what: string }): JSX.Element {
  if (error !== undefined)
    return h(
      'div',
      { class: 'view' },
      h(Notice, { tone: 'bad' }, h('p', {}, error), h('p', {}, `It is asked for ${what} again.`)),
    );
  return h('p', { class: 'starting', role: 'status' }, `Asking for ${what}…`);
}

/** Above what is there already when a later answer did not come. */
export function Outdated({ error }: { readonly error: string | undefined }): JSX.Element | null {
  return error === undefined ? null : h(Notice, { tone: 'warn' }, `${error} What stands here is from before.`);
}
