import type { DryRunSource } from '../status/status-judge.ts';
import { dryRunToken } from '../telemetry/dry-run.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';

const WINDOW_MS = 600_000;

/** Says what a policy in dry run would have denied in the last ten minutes, or since the operator began to listen when that is less. */
export function dryRunReport(
  ledger: Pick<TrafficLedger, 'dryRun' | 'startedAt'>,
  now: () => number = Date.now,
): DryRunSource {
  return ({ namespace, name }) => {
    const until = now();
    const since = Math.max(until - WINDOW_MS, ledger.startedAt);
    const { denied, asked } = ledger.dryRun(dryRunToken(namespace, name), since, until);
    const minutes = Math.max(1, Math.round((until - since) / 60_000));
    const things = asked === 1 ? '1 request or connection' : `${asked} requests and connections`;
    return `It would have denied ${denied} of ${things} in the last ${minutes} min.`;
  };
}
