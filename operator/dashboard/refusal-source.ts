import type { RefusalsView, RefusalView } from '../../api/view/control-plane-view.ts';
import { type CountedPorts, countedCompleteness } from './completeness.ts';
import { namespaceOf } from './graph-source.ts';
import type { WindowSelection } from './view-source.ts';

/** What policies refused in the last so many seconds, the most frequent first. @param now ms since the epoch */
export function refusalsIn(ports: CountedPorts, { seconds, namespace }: WindowSelection, now: number): RefusalsView {
  const { history } = ports;
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
    ...countedCompleteness(ports, window.since, now),
    refusals,
  };
}
