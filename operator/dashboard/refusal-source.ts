import type { RefusalsView, RefusalView } from '../../api/view/control-plane-view.ts';
import type { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { countedCompleteness } from './completeness.ts';
import { namespaceOf } from './graph-source.ts';
import type { WindowSelection } from './view-source.ts';

/** Where refusals are known from. */
export interface RefusalPorts {
  readonly history: TrafficHistory;
  /** What is not known of a window that begins at a moment (ms since the epoch): a sentence each. */
  missing(since: number, now: number): readonly string[];
}

/** What policies refused in the last so many seconds, the most frequent first. @param now ms since the epoch */
export function refusalsIn(
  { history, missing }: RefusalPorts,
  { seconds, namespace }: WindowSelection,
  now: number,
): RefusalsView {
  const window = history.slices.window(now, seconds);
  const refusals: RefusalView[] = [];
  for (const { counter, by } of history.sum(window)) {
    if (counter.kind !== 'refused') continue;
    const { policy, reason, among } = counter.refusal;
    const isChosen = [policy.namespace, namespaceOf(counter.node)].some((one) => one === (namespace ?? one));
    if (isChosen) refusals.push({ policy, reason, workload: counter.node, requests: by, among });
  }
  refusals.sort((a, b) => b.requests - a.requests);
  return {
    at: window.until,
    seconds: Math.round((window.until - window.since) / 1000),
    ...countedCompleteness(history, missing(window.since, now)),
    refusals,
  };
}
