import { describe, expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { hashPolicies } from './cluster-load-balancing.ts';
import type { HashPolicy } from './http-route-hashes.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';

type LoadBalancer = NonNullable<TrafficPolicy['loadBalancer']>;

describe('the choice of an endpoint', () => {
  const registry = envoyRegistry();

  test.each<[LoadBalancer | undefined, Record<string, unknown>]>([
    [undefined, { lb_policy: 'LEAST_REQUEST' }],
    [{}, { lb_policy: 'LEAST_REQUEST' }],
    [{ simple: 'UNSPECIFIED' }, { lb_policy: 'LEAST_REQUEST' }],
    [{ simple: 'LEAST_CONN' }, { lb_policy: 'LEAST_REQUEST' }],
    [{ simple: 'LEAST_REQUEST' }, { lb_policy: 'LEAST_REQUEST' }],
    [{ simple: 'RANDOM' }, { lb_policy: 'RANDOM' }],
    [{ simple: 'PASSTHROUGH' }, { lb_policy: 'CLUSTER_PROVIDED', type: 'ORIGINAL_DST' }],
    [
      { consistentHash: { useSourceIp: true } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '1024' } },
    ],
    [
      { consistentHash: { useSourceIp: true, minimumRingSize: 7 } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '7' } },
    ],
    [
      { consistentHash: { useSourceIp: true, ringHash: { minimumRingSize: 8 } } },
      { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: '8' } },
    ],
    [
      { consistentHash: { useSourceIp: true, maglev: { tableSize: 7 } } },
      { lb_policy: 'MAGLEV', maglev_lb_config: { table_size: '7' } },
    ],
    [
      { simple: 'ROUND_ROBIN', warmup: { duration: '30s' } },
      {
        lb_policy: undefined,
        round_robin_lb_config: {
          slow_start_config: {
            slow_start_window: '30s',
            aggression: { default_value: 1, runtime_key: 'heddle.warmup.aggression' },
            min_weight_percent: { value: 10 },
          },
        },
      },
    ],
    [
      { warmup: { duration: '1m', minimumPercent: 0, aggression: 2 } },
      {
        lb_policy: 'LEAST_REQUEST',
        least_request_lb_config: {
          slow_start_config: {
            slow_start_window: '60s',
            aggression: { default_value: 2, runtime_key: 'heddle.warmup.aggression' },
            min_weight_percent: {},
          },
        },
      },
    ],
    [
      { warmupDurationSecs: '10s' },
      {
        lb_policy: 'LEAST_REQUEST',
        least_request_lb_config: { slow_start_config: { slow_start_window: '10s' } },
      },
    ],
  ])('%j', (loadBalancer, expected) => {
    const json = clusterJson(registry, loadBalancer === undefined ? {} : { loadBalancer });
    expect(Object.fromEntries(Object.keys(expected).map((key) => [key, json[key]]))).toEqual(expected);
  });

  test('is never made among endpoints known to fail, unless too few are left', () => {
    expect(clusterJson(registry, {}).common_lb_config).toEqual({ healthy_panic_threshold: {} });
    expect(clusterJson(registry, { outlierDetection: { minHealthPercent: 30 } }).common_lb_config).toEqual({
      healthy_panic_threshold: { value: 30 },
    });
  });

  test('goes by weights of localities where the policy distributes, and only there', () => {
    const of = (policy: TrafficPolicy) => clusterJson(registry, policy).common_lb_config;
    const distribute = [{ from: 'a/*', to: { 'a/*': 100 } }];
    const weighted = { healthy_panic_threshold: {}, locality_weighted_lb_config: {} };
    expect(of({ loadBalancer: { localityLbSetting: { distribute } } })).toEqual(weighted);
    expect(of({ loadBalancer: { localityLbSetting: { distribute, enabled: false } } })).not.toEqual(weighted);
    expect(
      of({ outlierDetection: {}, loadBalancer: { localityLbSetting: { failover: [{ from: 'a', to: 'b' }] } } }),
    ).not.toEqual(weighted);
  });
});

test.each<[NonNullable<LoadBalancer['consistentHash']>, HashPolicy[]]>([
  [{}, []],
  [{ httpHeaderName: 'x-user' }, [{ kind: 'header', name: 'x-user' }]],
  [{ httpCookie: { name: 'u' } }, [{ kind: 'cookie', name: 'u' }]],
  [{ httpCookie: { name: 'u', path: '/p', ttl: '0s' } }, [{ kind: 'cookie', name: 'u', path: '/p', ttlMs: 0 }]],
  [{ useSourceIp: true }, [{ kind: 'source-ip' }]],
  [{ useSourceIp: false }, []],
  [{ httpQueryParameterName: 'q' }, [{ kind: 'query', name: 'q' }]],
])('what a hash is made of: %j', (consistentHash, expected) => {
  expect(hashPolicies({ loadBalancer: { consistentHash } })).toEqual(expected);
  expect(hashPolicies({})).toEqual([]);
});
