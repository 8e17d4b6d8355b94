import { h, type JSX } from 'preact';
import type { PoolFill, PoolLevel } from '../../../api/view/graph-view.ts';
import { Figure } from './figure.ts';
import { count } from './format.ts';

/** The pools of connections of one call: what the fullest has open, of how much it may. */
export function Pools({ pool, tcp }: { readonly pool: PoolFill; readonly tcp: boolean }): JSX.Element {
  const { connections, active, pending, overflow } = pool;
  return h(
    'dl',
    { class: 'figures' },
    h(Level, { name: 'Connections', level: connections, idles: true }),
    tcp ? null : h(Level, { name: 'Under way', level: active }),
    h(Level, { name: 'Waiting', level: pending }),
    h(TurnedAway, { overflow }),
  );
}

interface LevelProps {
  readonly name: string;
  readonly level: PoolLevel;
  /** What is open may be idle: connections are kept and fill nothing, so at their limit they do not stand out. */
  readonly idles?: boolean;
}

function Level({ name, level: { now, limit }, idles = false }: LevelProps): JSX.Element {
  const text = limit === undefined ? count(now) : `${count(now)} of ${count(limit)}`;
  const isFull = !idles && limit !== undefined && now >= limit;
  return h(Figure, { name, text, note: limit === undefined ? 'no limit' : '', tone: isFull ? 'warn' : '' });
}

/** The fullest of the pools of a workload's own sidecars towards it, where one has a limit. */
export function OwnPool({ pool }: { readonly pool: PoolFill | undefined }): JSX.Element | null {
  if (pool === undefined) return null;
  return h('div', {}, h('h3', {}, "The sidecars' fullest inbound pool"), h(Pools, { pool, tcp: false }));
}

/** What full pools refused in the window; undefined: not known. */
export function TurnedAway({ overflow }: { readonly overflow: number | undefined }): JSX.Element {
  const tone = (overflow ?? 0) > 0 ? 'sev-bad' : '';
  return h(Figure, { name: 'Turned away', text: count(overflow), note: 'the pool was full', tone });
}
