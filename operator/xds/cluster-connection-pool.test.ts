import { describe, expect, test } from '@jest/globals';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { tcpPolicy } from './tcp-policy.ts';
import { clusterJson } from './testing/cluster-json.ts';
import { envoyRegistry } from './testing/envoy-registry.ts';

const NONE = {
  max_connections: 4294967295,
  max_pending_requests: 4294967295,
  max_requests: 4294967295,
  max_retries: 4294967295,
};

describe('limits of connections', () => {
  const registry = envoyRegistry();
  const thresholds = (policy: TrafficPolicy) => clusterJson(registry, policy).circuit_breakers;

  test.each<[TrafficPolicy, Record<string, unknown>]>([
    [{}, {}],
    [{ connectionPool: { tcp: { maxConnections: 0 }, http: { http2MaxRequests: 0 } } }, {}],
    [{ connectionPool: { tcp: { maxConnections: 1 } } }, { max_connections: 1 }],
    [
      { connectionPool: { http: { http1MaxPendingRequests: 2, http2MaxRequests: 3, maxRetries: 4 } } },
      { max_pending_requests: 2, max_requests: 3, max_retries: 4 },
    ],
    [{ retryBudget: {} }, { retry_budget: { budget_percent: { value: 20 }, min_retry_concurrency: 3 } }],
    [
      { retryBudget: { percent: 12.5, minRetryConcurrency: 7 } },
      { retry_budget: { budget_percent: { value: 12.5 }, min_retry_concurrency: 7 } },
    ],
  ])('%j', (policy, expected) => {
    expect(thresholds(policy)).toEqual({ thresholds: [{ ...NONE, ...expected }] });
  });

  test('time for connecting and TCP keepalive', () => {
    const tcp = { connectTimeout: '250ms', tcpKeepalive: { probes: 3, time: '7200s', interval: '75s' } };
    expect(clusterJson(registry, { connectionPool: { tcp } })).toMatchObject({
      connect_timeout: '0.250s',
      upstream_connection_options: {
        tcp_keepalive: { keepalive_probes: 3, keepalive_time: 7200, keepalive_interval: 75 },
      },
    });
    expect(clusterJson(registry, {}).upstream_connection_options).toBeUndefined();
  });

  test('keepalive that says nothing is the system’s, and none is more than Linux takes', () => {
    const keepalive = (tcpKeepalive: object) =>
      clusterJson(registry, { connectionPool: { tcp: { tcpKeepalive } } }).upstream_connection_options;
    expect(keepalive({})).toEqual({ tcp_keepalive: {} });
    expect(keepalive({ time: '24h', probes: 1000, interval: '10ms' })).toEqual({
      tcp_keepalive: { keepalive_time: 32767, keepalive_probes: 127, keepalive_interval: 1 },
    });
  });
});

test('what the TCP proxy is told', () => {
  expect(tcpPolicy({})).toEqual({ hashSourceIp: false });
  const tcp = { idleTimeout: '0s', maxConnectionDuration: '1h' };
  const loadBalancer = { consistentHash: { useSourceIp: true } };
  expect(tcpPolicy({ connectionPool: { tcp }, loadBalancer })).toEqual({
    idleTimeoutMs: 0,
    maxConnectionDurationMs: 3_600_000,
    hashSourceIp: true,
  });
});
