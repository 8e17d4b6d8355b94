import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionTraffic, TrafficAnswer } from '../telemetry/traffic.ts';
import { shown } from './judge/metric-kind.ts';

type Figures = NonNullable<CanaryStatus['metrics']>;

/** The figures of a window as the printer columns show them: of each the worse of what callers saw and what was served. */
export function figuresOf({ callers, served }: TrafficAnswer): Figures {
  const sides = [callers, served].filter(({ requests }) => requests > 0);
  const requests = callers.requests || served.requests;
  const p99s = sides.map(({ p99Ms }) => p99Ms).filter((value) => value !== undefined);
  const p99 = p99s.length === 0 ? undefined : Math.max(...p99s);
  return {
    ...(sides.length === 0 ? {} : { successRate: `${shown(Math.min(...sides.map(successRate)), 1)}%` }),
    ...(p99 === undefined ? {} : { p99: `${p99 < 10 ? shown(p99, 1) : Math.round(p99)}ms` }),
    requests,
  };
}

function successRate({ requests, failures }: RevisionTraffic): number {
  return ((requests - failures) * 100) / requests;
}
