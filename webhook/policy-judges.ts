import { ALERT_PROVIDER_KIND } from '../api/alert-provider.ts';
import { AUTHORIZATION_POLICY_KIND } from '../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../api/authorization-policy-judgement.ts';
import { DESTINATION_RULE_KIND, judgeDestinationRule } from '../api/destination-rule.ts';
import type { FieldProblem, SpecJudgement } from '../api/field-problem.ts';
import { HEDDLE_GROUP } from '../api/heddle.ts';
import { METRIC_TEMPLATE_KIND } from '../api/metric-template.ts';
import { NETWORKING_GROUP } from '../api/networking.ts';
import { PEER_AUTHENTICATION_KIND } from '../api/peer-authentication.ts';
import { RATE_LIMIT_POLICY_KIND } from '../api/rate-limit-policy.ts';
import { judgeRateLimitPolicy } from '../api/rate-limit-policy-judgement.ts';
import { REQUEST_AUTHENTICATION_KIND } from '../api/request-authentication.ts';
import { judgeRequestAuthentication } from '../api/request-authentication-judgement.ts';
import { SECURITY_GROUP } from '../api/security.ts';
import { SERVICE_ENTRY_KIND } from '../api/service-entry.ts';
import { judgeServiceEntry } from '../api/service-entry-judgement.ts';
import { SIDECAR_KIND } from '../api/sidecar.ts';
import { judgeSidecar } from '../api/sidecar-judgement.ts';
import { TELEMETRY_GROUP, TELEMETRY_KIND } from '../api/telemetry.ts';
import { judgeTelemetry } from '../api/telemetry-judgement.ts';
import { judgeVirtualService, VIRTUAL_SERVICE_KIND } from '../api/virtual-service.ts';
import { WORKLOAD_ENTRY_KIND } from '../api/workload-entry.ts';
import { judgeWorkloadEntry } from '../api/workload-entry-judgement.ts';
import { validateAlertProvider } from './validate-alert-provider.ts';
import { validateMetricTemplate } from './validate-metric-template.ts';
import { validatePeerAuthentication } from './validate-peer-authentication.ts';

/** What is to be said of an object: sentences that begin with the field. */
export interface Verdict {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Most warnings of one object that reach the user one by one. */
const MAX_WARNINGS = 10;
/** Most characters of a warning, which API servers cut at 256. */
const MAX_WARNING_LENGTH = 255;
/** Most problems of a refusal that are named one by one, and most characters of each: what is wrong may be long itself. */
const MAX_PROBLEMS = 20;
const MAX_PROBLEM_LENGTH = 1024;

const networking = (kind: string, judge: (spec: unknown) => SpecJudgement): [string, (spec: unknown) => Verdict] => [
  `${NETWORKING_GROUP}/${kind}`,
  (spec) => toVerdict(judge(spec)),
];

/** Judges of policies, by group and kind. All versions of a kind have the same schema. */
const JUDGES: ReadonlyMap<string, (spec: unknown) => Verdict> = new Map([
  [
    `${SECURITY_GROUP}/${PEER_AUTHENTICATION_KIND}`,
    (spec: unknown): Verdict => ({ problems: validatePeerAuthentication(spec), warnings: [] }),
  ],
  [
    `${SECURITY_GROUP}/${AUTHORIZATION_POLICY_KIND}`,
    (spec: unknown): Verdict => toVerdict(judgeAuthorizationPolicy(spec)),
  ],
  [
    `${SECURITY_GROUP}/${REQUEST_AUTHENTICATION_KIND}`,
    (spec: unknown): Verdict => toVerdict(judgeRequestAuthentication(spec)),
  ],
  [
    `${HEDDLE_GROUP}/${ALERT_PROVIDER_KIND}`,
    (spec: unknown): Verdict => ({ problems: validateAlertProvider(spec), warnings: [] }),
  ],
  [`${HEDDLE_GROUP}/${RATE_LIMIT_POLICY_KIND}`, (spec: unknown): Verdict => toVerdict(judgeRateLimitPolicy(spec))],
  [
    `${HEDDLE_GROUP}/${METRIC_TEMPLATE_KIND}`,
    (spec: unknown): Verdict => ({ problems: validateMetricTemplate(spec), warnings: [] }),
  ],
  networking(VIRTUAL_SERVICE_KIND, judgeVirtualService),
  networking(DESTINATION_RULE_KIND, judgeDestinationRule),
  networking(SERVICE_ENTRY_KIND, judgeServiceEntry),
  networking(WORKLOAD_ENTRY_KIND, judgeWorkloadEntry),
  networking(SIDECAR_KIND, judgeSidecar),
  [`${TELEMETRY_GROUP}/${TELEMETRY_KIND}`, (spec: unknown): Verdict => toVerdict(judgeTelemetry(spec))],
]);

/**
 * Finds who judges a kind of policy, of Istio's or of ours.
 * @returns nothing when the kind is none that Heddle reads
 */
export function judgeOf({ group, kind }: { group: string; kind: string }): ((spec: unknown) => Verdict) | undefined {
  return JUDGES.get(`${group}/${kind}`);
}

function toVerdict({ errors, warnings }: SpecJudgement): Verdict {
  return {
    problems: listed(errors, MAX_PROBLEMS, MAX_PROBLEM_LENGTH),
    warnings: listed(warnings, MAX_WARNINGS, MAX_WARNING_LENGTH),
  };
}

function listed(problems: readonly FieldProblem[], most: number, length: number): string[] {
  const sentences = problems.slice(0, most).map(({ field, message }) => shortened(`${field}: ${message}`, length));
  const left = problems.length - sentences.length;
  return left > 0 ? [...sentences, `and ${left} more`] : sentences;
}

/** Cuts a sentence between characters, never within one, and shows that it did. */
function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
