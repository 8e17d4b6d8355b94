import { create } from '@bufbuild/protobuf';
import {
  HeaderMatcherSchema,
  type RetryPolicy,
  RetryPolicy_RetryHostPredicateSchema,
  RetryPolicy_RetryPrioritySchema,
  RetryPolicySchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { PreviousHostsPredicateSchema } from '../../generated/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../generated/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import type { Retries } from '../mesh/route-rule.ts';
import { milliseconds, pack } from './encoding.ts';
import { UNDELIVERED_HEADER } from './names.ts';
import { buildStringMatcher } from './string-matchers.ts';

/** Istio's default. */
export const RETRIES = 2;
/**
 * How often another host is picked when the pick was tried before. "Least requests" favours hosts that are gone, as they have none, so it takes
 * many picks to be sure of another one.
 */
const HOST_PICKS = 50n;
/** Conditions under which the request was surely not served; Istio's. */
const UNSERVED = ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'reset-before-request'];
/** By which the other side's proxy says so: a pod whose application has ended while its proxy still answers. */
const BY_HEADER = 'retriable-headers';
const BY_STATUS = 'retriable-status-codes';
/** After so many tries, priorities that had one are passed over; Istio's. */
const PRIORITY_UPDATES = 2;

// Messages that policies share, since nobody alters them.
const PREVIOUS_HOSTS = create(RetryPolicy_RetryHostPredicateSchema, {
  name: 'envoy.retry_host_predicates.previous_hosts',
  configType: {
    case: 'typedConfig',
    value: pack(PreviousHostsPredicateSchema, create(PreviousHostsPredicateSchema)),
  },
});
const PREVIOUS_PRIORITIES = create(RetryPolicy_RetryPrioritySchema, {
  name: 'envoy.retry_priorities.previous_priorities',
  configType: {
    case: 'typedConfig',
    value: pack(
      PreviousPrioritiesConfigSchema,
      create(PreviousPrioritiesConfigSchema, { updateFrequency: PRIORITY_UPDATES }),
    ),
  },
});
const UNDELIVERED = create(HeaderMatcherSchema, {
  name: UNDELIVERED_HEADER,
  headerMatchSpecifier: { case: 'stringMatch', value: buildStringMatcher({ kind: 'exact', value: 'true' }) },
});

/**
 * When a request is tried again, and where. A request of any method that the other side's proxy reports as never delivered is, whatever the user's
 * conditions.
 *
 * @param retries undefined: the mesh's own policy
 * @returns undefined when nothing is to be tried again
 */
export function buildRetryPolicy(retries?: Retries): RetryPolicy | undefined {
  const attempts = retries?.attempts ?? RETRIES;
  if (attempts <= 0) return undefined;
  const { perTryTimeoutMs, backoffMs = 0, remoteLocalities = false, ignorePreviousHosts = true } = retries ?? {};
  return create(RetryPolicySchema, {
    ...retryConditions(retries?.retryOn),
    numRetries: attempts,
    ...(perTryTimeoutMs === undefined ? {} : { perTryTimeout: milliseconds(perTryTimeoutMs) }),
    ...(remoteLocalities ? { retryPriority: PREVIOUS_PRIORITIES } : {}),
    ...(ignorePreviousHosts
      ? {
          retryHostPredicate: [PREVIOUS_HOSTS],
          hostSelectionRetryMaxAttempts: HOST_PICKS,
        }
      : {}),
    // Envoy's longest interval is ten times the shortest. It refuses one of nothing.
    ...(backoffMs > 0 ? { retryBackOff: { baseInterval: milliseconds(backoffMs) } } : {}),
    retriableHeaders: [UNDELIVERED],
  });
}

/** Words of the user's list that are numbers are status codes, which Envoy wants apart. */
function retryConditions(retryOn = UNSERVED.join(',')): Pick<RetryPolicy, 'retryOn' | 'retriableStatusCodes'> {
  const words = retryOn
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const codes = words.filter((word) => /^[0-9]+$/.test(word)).map(Number);
  const conditions = words.filter((word) => !/^[0-9]+$/.test(word));
  const needed = codes.length > 0 ? [BY_STATUS, BY_HEADER] : [BY_HEADER];
  return { retryOn: [...new Set([...conditions, ...needed])].join(), retriableStatusCodes: codes };
}
