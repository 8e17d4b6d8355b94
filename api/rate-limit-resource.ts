import type { CustomResource } from './custom-resource.ts';
import { HEDDLE_GROUP, HEDDLE_VERSION } from './heddle.ts';
import { AGE, STATE } from './printer-columns.ts';
import { RATE_LIMIT_POLICY_KIND, rateLimitPolicySpec, rateLimitPolicyStatus } from './rate-limit-policy.ts';

/** The kind as the CRD generator sees it. */
export const RATE_LIMIT_POLICY_RESOURCE: CustomResource = {
  group: HEDDLE_GROUP,
  kind: RATE_LIMIT_POLICY_KIND,
  plural: 'ratelimitpolicies',
  singular: 'ratelimitpolicy',
  shortNames: ['rlp'],
  categories: ['heddle'],
  versions: [HEDDLE_VERSION],
  description: 'A RateLimitPolicy says how many requests, connections and bytes workloads take.',
  spec: rateLimitPolicySpec,
  specRequired: true,
  status: rateLimitPolicyStatus,
  columns: [...STATE, AGE],
  owner: 'heddle',
};
