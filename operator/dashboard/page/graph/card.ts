import { h, type JSX } from 'preact';
import type { GraphNode } from '../../../../api/view/graph-view.ts';
import { Unseen } from '../figure.ts';
import { millis, percent, plural, rate } from '../format.ts';
import { failedShare, fullest, NEARLY_FULL, nameOf, severity } from '../health.ts';
import { Icon } from '../icon.ts';
import type { Box } from './arrange.ts';
import type { Item } from './picture.ts';

interface CardProps {
  readonly item: Item;
  readonly box: Box;
  readonly href: string;
  readonly selected: boolean;
  readonly dim: boolean;
  /** The one card that the tab key leads to. */
  readonly entry: boolean;
  /** Whether figures that are missing are known to be none. */
  readonly complete: boolean;
}

/** A service, or a namespace, in the graph. */
export function Card({ item, box, href, selected, dim, entry, complete }: CardProps): JSX.Element {
  const golden = item.kind === 'service' ? item.node.served : item.served;
  const worst = item.kind === 'namespace' && item.failing > 0 ? 'bad' : severity(golden);
  const outside = item.kind === 'service' && item.node.kind !== 'workload';
  const quiet = complete ? 'no calls' : 'unknown';
  return h(
    'a',
    {
      class: `card card-${item.kind} sev-${worst} ${selected ? 'selected' : ''} ${dim ? 'dim' : ''} ${outside ? 'outside' : ''}`,
      href,
      'data-id': item.id,
      draggable: false,
      tabIndex: entry ? 0 : -1,
      ...(selected ? { 'aria-current': 'true' as const } : {}),
      style: { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` },
    },
    h(
      'span',
      { class: 'card-name' },
      worst === 'bad' ? h(Icon, { name: 'cross' }) : null,
      h('b', {}, titleOf(item)),
      h(Unseen, {}, item.kind === 'service' && item.node.namespace !== '' ? ` in ${item.node.namespace}: ` : ': '),
      isCanary(item) ? h(Icon, { name: 'canary' }) : null,
    ),
    item.kind === 'namespace'
      ? h('span', { class: 'card-about' }, aboutNamespace(item.nodes.length, item.failing))
      : null,
    h(
      'span',
      { class: 'card-figures' },
      golden === undefined
        ? h('span', { class: 'unknown' }, outside ? outsideWord(item.node) : quiet)
        : [
            h('span', { key: 'rate' }, rate(golden.perSecond), h(Unseen, {}, ', failing ')),
            h(
              'span',
              { key: 'failed', class: `failed failed-${severity(golden)}` },
              percent(failedShare(golden)) ?? '',
              h(Unseen, {}, ', p99 '),
            ),
            h('span', { key: 'p99' }, millis(golden.p99Ms) ?? h(Unseen, {}, 'unknown')),
          ],
    ),
    item.kind === 'service' ? h(Fullness, { node: item.node }) : null,
  );
}

function Fullness({ node }: { readonly node: GraphNode }): JSX.Element | null {
  const most = fullest(node.saturation);
  if (most === undefined) return null;
  const width = `${Math.round(Math.min(1, most.share) * 100)}%`;
  return h(
    'span',
    { class: `fullness ${most.share >= NEARLY_FULL ? 'nearly' : ''}`, 'aria-hidden': true },
    h('i', { style: { width } }),
  );
}

/** What a card is called. */
export function titleOf(item: Item): string {
  return item.kind === 'service' ? nameOf(item.id, item.node) : item.title;
}

function isCanary(item: Item): boolean {
  return item.kind === 'service'
    ? item.node.canary !== undefined
    : item.nodes.some(({ canary }) => canary !== undefined);
}

function outsideWord(node: GraphNode): string {
  return node.kind === 'host' ? 'outside the mesh' : 'without an identity';
}

function aboutNamespace(services: number, failing: number): string {
  return `${plural(services, 'service')}${failing > 0 ? `, ${plural(failing, 'failing call')}` : ''}`;
}
