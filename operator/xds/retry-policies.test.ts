import { createRegistry, toJson } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { RetryPolicySchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { PreviousHostsPredicateSchema } from '../../generated/envoy/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { PreviousPrioritiesConfigSchema } from '../../generated/envoy/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config_pb.js';
import type { Retries } from '../mesh/route-rule.ts';
import { buildRetryPolicy } from './retry-policies.ts';

const registry = createRegistry(PreviousHostsPredicateSchema, PreviousPrioritiesConfigSchema);
const OWN_CONDITIONS = 'connect-failure,refused-stream,unavailable,cancelled,reset-before-request,retriable-headers';

function policyOf(retries?: Partial<Retries>): unknown {
  const defaults = { attempts: 2, remoteLocalities: false, ignorePreviousHosts: true };
  const policy = buildRetryPolicy(retries === undefined ? undefined : { ...defaults, ...retries });
  return policy === undefined ? undefined : toJson(RetryPolicySchema, policy, { registry, useProtoFieldName: true });
}

const COMMON = {
  retry_host_predicate: [
    {
      name: 'envoy.retry_host_predicates.previous_hosts',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
      },
    },
  ],
  host_selection_retry_max_attempts: '50',
  retriable_headers: [{ name: 'x-heddle-undelivered', string_match: { exact: 'true' } }],
};

test.each<[string, Partial<Retries> | undefined, object]>([
  ['twice what was surely not served', undefined, { num_retries: 2, retry_on: OWN_CONDITIONS, ...COMMON }],
  ['as often as told', { attempts: 7 }, { num_retries: 7, retry_on: OWN_CONDITIONS, ...COMMON }],
  [
    "by the user's conditions and statuses, and by our header",
    { retryOn: ' 5xx, 409 ,,reset,421' },
    {
      num_retries: 2,
      retry_on: '5xx,reset,retriable-status-codes,retriable-headers',
      retriable_status_codes: [409, 421],
      ...COMMON,
    },
  ],
  [
    'by conditions each once',
    { retryOn: 'retriable-headers,retriable-status-codes,503,reset,reset' },
    {
      num_retries: 2,
      retry_on: 'retriable-headers,retriable-status-codes,reset',
      retriable_status_codes: [503],
      ...COMMON,
    },
  ],
  [
    'with a time for each try, and time between them',
    { perTryTimeoutMs: 250, backoffMs: 50 },
    {
      num_retries: 2,
      retry_on: OWN_CONDITIONS,
      per_try_timeout: '0.250s',
      retry_back_off: { base_interval: '0.050s' },
      ...COMMON,
    },
  ],
  [
    'with the default time between them where it is none',
    { backoffMs: 0 },
    { num_retries: 2, retry_on: OWN_CONDITIONS, ...COMMON },
  ],
  [
    'in other localities too',
    { remoteLocalities: true },
    {
      num_retries: 2,
      retry_on: OWN_CONDITIONS,
      retry_priority: {
        name: 'envoy.retry_priorities.previous_priorities',
        typed_config: {
          '@type':
            'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
          update_frequency: 2,
        },
      },
      ...COMMON,
    },
  ],
  [
    'on hosts that had it before',
    { ignorePreviousHosts: false },
    { num_retries: 2, retry_on: OWN_CONDITIONS, retriable_headers: COMMON.retriable_headers },
  ],
])('tries again %s', (_, retries, expected) => {
  expect(policyOf(retries)).toEqual(expected);
});

test('tries nothing again where there are no attempts', () => {
  expect(policyOf({ attempts: 0 })).toBeUndefined();
});
