import type { TrialSource } from '../status/status-judge.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';
import { trialToken } from '../telemetry/trial.ts';

const WINDOW_MS = 600_000;

/** Says what a policy in dry run would have denied in the last ten minutes, or since the operator began to listen when that is less. */
export function dryRunReport(
  ledger: Pick<TrafficLedger, 'trial' | 'startedAt'>,
  now: () => number = Date.now,
): TrialSource {
  return ({ namespace, name }) => {
    const until = now();
    const since = Math.max(until - WINDOW_MS, ledger.startedAt);
    const { denied, asked } = ledger.trial(trialToken(namespace, name), since, until);
    const minutes = Math.max(1, Math.round((until - since) / 60_000));
    const things = asked === 1 ? '1 request or connection' : `${asked} requests and connections`;
    return `It would have denied ${denied} of ${things} in the last ${minutes} min.`;
  };
}
