import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import { dryRunLimitsToken, dryRunToken } from '../../proxy/names.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';
import type { ReportWindow } from './report-window.ts';

/** Says what a policy in dry run would have denied, or how often its limits would have refused. */
export function reportDryRun(
  ledger: Pick<TrafficLedger, 'dryRun'>,
  { kind, namespace, name }: ObjectRef,
  { since, until, minutes }: ReportWindow,
): string {
  if (kind === RATE_LIMIT_POLICY_KIND) {
    const { denied: refused } = ledger.dryRun(dryRunLimitsToken(namespace, name), since, until);
    return `Its limits would have refused ${refused} ${refused === 1 ? 'time' : 'times'} in the last ${minutes} min.`;
  }
  const { denied, asked } = ledger.dryRun(dryRunToken(namespace, name), since, until);
  const things = asked === 1 ? '1 request or connection' : `${asked} requests and connections`;
  return `It would have denied ${denied} of ${things} in the last ${minutes} min.`;
}
