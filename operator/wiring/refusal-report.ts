import type { ObjectRef } from '../mesh/object-ref.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';
import type { ReportWindow } from './report-window.ts';

/** Says what a policy refused; undefined when that was nothing. */
export function reportRefusals(
  ledger: Pick<TrafficLedger, 'refused'>,
  policy: ObjectRef,
  { since, until, minutes }: ReportWindow,
): string | undefined {
  const { refused, shared } = ledger.refused(policy, since, until);
  if (refused === 0) return undefined;
  const things = refused === 1 ? '1 request or connection' : `${refused} requests and connections`;
  const others = shared === 0 ? '' : `; of ${shared === refused ? 'these' : shared} others may have decided as well`;
  return `It refused ${things} in the last ${minutes} min${others}.`;
}
