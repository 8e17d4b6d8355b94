import type { ProxyState } from '../../api/view/control-plane-view.ts';
import { paint, type Style } from '../terminal/colour.ts';

const STATES: Readonly<Record<ProxyState, readonly [Style, string]>> = {
  synced: ['green', 'SYNCED'],
  syncing: ['cyan', 'SYNCING'],
  stale: ['yellow', 'STALE'],
  rejected: ['red', 'REJECTED'],
  disconnected: ['red', 'DISCONNECTED'],
  unknown: ['yellow', 'UNKNOWN'],
};

/** In the order in which people want to see them: what is wrong first. */
export const PROXY_STATES = ['rejected', 'disconnected', 'stale', 'unknown', 'syncing', 'synced'] as const;

/** A state in its colour. */
export function describeState(state: ProxyState): string {
  const [style, text] = STATES[state];
  return paint(style, text);
}
