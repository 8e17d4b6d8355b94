import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import { dryRunLimitsToken, dryRunToken } from '../../proxy/names.ts';
import type { DryRunSource } from '../status/status-judge.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';

const WINDOW_MS = 600_000;

/** Says what a policy in dry run would have denied, or how often its limits would have refused, in the last ten minutes, or since the operator began to listen when that is less. */
export function dryRunReport(
  ledger: Pick<TrafficLedger, 'dryRun' | 'startedAt'>,
  now: () => number = Date.now,
): DryRunSource {
  return ({ kind, namespace, name }) => {
    const until = now();
    const since = Math.max(until - WINDOW_MS, ledger.startedAt);
    const minutes = Math.max(1, Math.round((until - since) / 60_000));
    if (kind === RATE_LIMIT_POLICY_KIND) {
      const { denied: refused } = ledger.dryRun(dryRunLimitsToken(namespace, name), since, until);
      return `Its limits would have refused ${refused} ${refused === 1 ? 'time' : 'times'} in the last ${minutes} min.`;
    }
    const { denied, asked } = ledger.dryRun(dryRunToken(namespace, name), since, until);
    const things = asked === 1 ? '1 request or connection' : `${asked} requests and connections`;
    return `It would have denied ${denied} of ${things} in the last ${minutes} min.`;
  };
}
