import type { CustomResource } from './custom-resource.ts';
import { AGE, STATE } from './printer-columns.ts';
import {
  RATE_LIMIT_POLICY_GROUP,
  RATE_LIMIT_POLICY_KIND,
  RATE_LIMIT_POLICY_VERSION,
  rateLimitPolicySpec,
  rateLimitPolicyStatus,
} from './rate-limit-policy.ts';

/** The kind as the CRD generator sees it. */
export const RATE_LIMIT_POLICY_RESOURCE: CustomResource = {
  group: RATE_LIMIT_POLICY_GROUP,
  kind: RATE_LIMIT_POLICY_KIND,
  plural: 'ratelimitpolicies',
  singular: 'ratelimitpolicy',
  shortNames: ['rlp'],
  categories: ['heddle'],
  versions: [RATE_LIMIT_POLICY_VERSION],
  description: 'A RateLimitPolicy says how many requests, connections and bytes workloads take.',
  spec: rateLimitPolicySpec,
  specRequired: true,
  status: rateLimitPolicyStatus,
  columns: [...STATE, AGE],
  owner: 'heddle',
};
