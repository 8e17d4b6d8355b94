import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { RATE_LIMIT_POLICY_KIND } from '../../api/rate-limit-policy.ts';
import { REQUEST_AUTHENTICATION_KIND } from '../../api/request-authentication.ts';
import { type ObjectKey, objectKey } from '../mesh/object-ref.ts';
import type { FindingSource } from '../status/status-judge.ts';
import type { TrafficLedger } from '../telemetry/ledger.ts';
import { reportDryRun } from './dry-run-report.ts';
import { reportRefusals } from './refusal-report.ts';
import { reportWindow } from './report-window.ts';

/** So long, in ms, a sentence stays as it is, however often a policy is looked at: each other one is a write. */
const STANDS_MS = 30_000;

/** Kinds that refuse anything. */
const REFUSING = new Set<string>([AUTHORIZATION_POLICY_KIND, REQUEST_AUTHENTICATION_KIND, RATE_LIMIT_POLICY_KIND]);

/** What was said of a policy, and when. */
interface Said {
  readonly at: number;
  readonly sentence: string;
  readonly dryRun: boolean;
}

/** Says of a policy what it refused in the last ten minutes, or would have, when it is in dry run. */
export function policyFindings(
  ledger: Pick<TrafficLedger, 'dryRun' | 'refused' | 'startedAt'>,
  now: () => number = Date.now,
): FindingSource {
  /** Oldest first. */
  const said = new Map<ObjectKey, Said>();
  return (policy, dryRun) => {
    if (!REFUSING.has(policy.kind)) return undefined;
    const at = now();
    for (const [key, { at: then }] of said) {
      if (at - then < STANDS_MS) break;
      said.delete(key);
    }
    const key = objectKey(policy);
    const standing = said.get(key);
    if (standing?.dryRun === dryRun) return standing.sentence;
    const window = reportWindow(ledger.startedAt, at);
    const sentence = (dryRun ? reportDryRun : reportRefusals)(ledger, policy, window);
    said.delete(key);
    if (sentence !== undefined) said.set(key, { at, sentence, dryRun });
    return sentence;
  };
}
