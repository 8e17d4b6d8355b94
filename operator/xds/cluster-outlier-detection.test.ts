import { expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';

const registry = envoyRegistry();

const BASE = { enforcing_success_rate: 0 };

test.each<[TrafficPolicy['outlierDetection'], Record<string, unknown>]>([
  [{}, BASE],
  [{ consecutive5xxErrors: 0 }, { ...BASE, consecutive_5xx: 0, enforcing_consecutive_5xx: 0 }],
  [{ consecutive5xxErrors: 7 }, { ...BASE, consecutive_5xx: 7, enforcing_consecutive_5xx: 100 }],
  [
    { consecutiveGatewayErrors: 2 },
    { ...BASE, consecutive_gateway_failure: 2, enforcing_consecutive_gateway_failure: 100 },
  ],
  [
    { consecutiveErrors: 3 },
    {
      ...BASE,
      consecutive_5xx: 0,
      enforcing_consecutive_5xx: 0,
      consecutive_gateway_failure: 3,
      enforcing_consecutive_gateway_failure: 100,
    },
  ],
  [
    { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 4 },
    {
      ...BASE,
      split_external_local_origin_errors: true,
      enforcing_local_origin_success_rate: 0,
      consecutive_local_origin_failure: 4,
      enforcing_consecutive_local_origin_failure: 100,
    },
  ],
  [{ consecutiveLocalOriginFailures: 4 }, BASE],
  [
    { interval: '1s', baseEjectionTime: '3m', maxEjectionPercent: 50 },
    { ...BASE, interval: '1s', base_ejection_time: '180s', max_ejection_percent: 50 },
  ],
])('when endpoints are ejected: %j', (outlierDetection, expected) => {
  const policy = outlierDetection === undefined ? {} : { outlierDetection };
  expect(clusterJson(registry, policy).outlier_detection).toEqual(expected);
});

test('without a policy nothing is ejected', () => {
  expect(clusterJson(registry, {}).outlier_detection).toBeUndefined();
});
