import type { UsageMetric } from '../../../api/canary-metric.ts';
import type { MetricResult, RoundInputs } from '../../../api/canary-round.ts';
import type { UsageAnswer } from '../../../api/canary-usage.ts';
import { shown } from './metric-kind.ts';

interface Unit {
  /** A smaller difference, a pod, is none: pods of one revision differ by as much. */
  readonly least: number;
  /** Whether it grows with the requests that a pod gets. */
  readonly byRequests: boolean;
  /** What one of it is, in what was measured. */
  readonly size: number;
  readonly name: string;
  readonly digits: number;
}

const MIB = 2 ** 20;
const UNITS: Readonly<Record<UsageMetric, Unit>> = {
  'cpu-usage': { least: 0.01, byRequests: true, size: 1, name: 'cores', digits: 3 },
  'memory-usage': { least: 8 * MIB, byRequests: false, size: MIB, name: 'MiB', digits: 0 },
};

/**
 * Compares what a pod of each revision used. A pod takes some CPU at rest and more for each request, nobody knows how much of either, and pods of both revisions
 * seldom get equally many. Per pod the one with more requests looks the worse, per request the one with fewer. So what is more by both is more, what is
 * not more by either is not, and what lies between tells nothing. Memory is compared per pod.
 * @param limit how many percent more it may be
 */
export function compareUsage(name: UsageMetric, limit: number, answer: UsageAnswer, inputs: RoundInputs): MetricResult {
  const unit = UNITS[name];
  const { size, digits } = unit;
  const said = (value: number): string => `${shown(value / size, digits)} ${unit.name}`;
  const told = (value: number): number => Math.round((value / size) * 1000) / 1000;
  const { mean: next = 0, pods: nextPods } = answer.next;
  const { mean: stable = 0, pods: stablePods } = answer.stable;
  const facts = { name, value: told(next), stableValue: told(stable) };
  const untold = (why: string): MetricResult => ({ ...facts, verdict: 'NotComparable', message: `${name}: ${why}` });
  if (stablePods === 0) return untold('no pod of the stable revision has served for long enough');
  const load = unit.byRequests ? loadRatio(inputs, nextPods, stablePods) : 1;
  if (load === undefined) return untold(`one of both revisions gets no requests at ${inputs.weight} %`);
  // What a stable pod would use under the new one's load, at least and at most.
  const least = stable * Math.min(1, load);
  const most = stable * Math.max(1, load);
  const isMore = (than: number): boolean => next > than * (1 + limit / 100) && next - than >= unit.least;
  if (!isMore(least)) return { ...facts, verdict: 'Passed' };
  const words = `${said(next)} a pod`;
  if (isMore(most)) {
    const much = load > 1 ? ` under ${shown(load, 1)} times the requests` : '';
    const message = `${name} ${words} is more than ${limit} % above the ${said(stable)} of the stable revision${much}`;
    return { ...facts, verdict: 'Failed', message };
  }
  const between = `${said(least)} and ${said(most)}`;
  return untold(
    `${words}; a stable one would use between ${between} for as many requests, so no difference can be told`,
  );
}

/** How many times the requests of a stable pod one of the new revision served; 1 where none are served, undefined where only one of them serves. */
function loadRatio({ next, stable, minRequests }: RoundInputs, nextPods: number, stablePods: number) {
  const served = [next.served.requests, stable.served.requests] as const;
  const enough = served.map((requests) => requests >= minRequests);
  if (!enough[0] && !enough[1]) return 1;
  if (!enough[0] || !enough[1]) return undefined;
  return served[0] / nextPods / (served[1] / stablePods);
}
