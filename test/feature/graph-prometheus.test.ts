import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { roleIn } from '../../operator/dashboard/edge-totals.ts';
import { GraphSource, strangerFacts } from '../../operator/dashboard/graph-source.ts';
import { PrometheusClient } from '../../operator/dashboard/prometheus-client.ts';
import { PrometheusFigures } from '../../operator/dashboard/prometheus-figures.ts';
import { blockList } from '../../operator/outward/destination.ts';
import { PASSWORD, PrometheusProcess } from './support/prometheus-process.ts';

const NO_POOLS = { overflows: () => ({ growths: [], complete: true }) };

/** The graph from a real Prometheus that scrapes Istio's metrics. */

const UI = 'source_workload_namespace="shop",source_canonical_service="ui",source_workload="ui"';
const ORDERING = 'destination_workload_namespace="shop",destination_canonical_service="ordering"';
const TLS = 'destination_principal="spiffe://td/ns/shop/sa/ordering",connection_security_policy="mutual_tls"';
const ENDS = `reporter="source",${UI},${ORDERING},${TLS},destination_service="ordering.shop.svc.cluster.local"`;

const REVISION = (name: string) => `upstream_cluster="outbound|80||ordering.shop.svc.cluster.local|${name}"`;

/** Metrics of a sidecar that made so many calls, a tenth of which failed, all of the new revision, and half of which took at most 5 ms. */
function metricsAfter(calls: number): string {
  const count = (labels: string, value: number) => `istio_requests_total{${ENDS},${labels}} ${value}`;
  const bucket = (le: string, value: number) =>
    `istio_request_duration_milliseconds_bucket{${ENDS},response_code="200",le="${le}"} ${value}`;
  return [
    '# TYPE istio_requests_total counter',
    count(`${REVISION('old')},response_code="200",response_flags="-",grpc_response_status=""`, calls * 0.9),
    count(`${REVISION('new')},response_code="503",response_flags="UC",grpc_response_status=""`, calls * 0.1),
    '# TYPE istio_request_duration_milliseconds histogram',
    ...[bucket('5', calls / 2), bucket('10', calls), bucket('+Inf', calls)],
    '',
  ].join('\n');
}

let prometheus: PrometheusProcess;
beforeAll(async () => {
  prometheus = await PrometheusProcess.start();
}, 90_000);
afterAll(() => prometheus?.stop());

test('graph and series are what Prometheus has', async () => {
  const authorization = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
  const client = new PrometheusClient({
    url: prometheus.url,
    timeoutMs: 10_000,
    allowed: blockList(['127.0.0.0/8']),
    authorization: async () => authorization,
  });
  const names = { ofService: (host: string) => `host:${host}`, hasSidecars: () => true };
  const figures = new PrometheusFigures(client, names, NO_POOLS, Date.now);
  const graph = new GraphSource({
    figures,
    nodes: () => ['shop/ui', 'shop/ordering'].map((id) => ({ ...strangerFacts(id), pods: 1, connected: 1 })),
    roleOf: (_, revision) => roleIn({ stable: 'old', next: 'new' }, revision),
    saturation: () => undefined,
    pools: () => [],
  });
  // Prometheus sees counters grow, not where they begin.
  let calls = 0;
  const view = await waitFor('calls in the graph', async () => {
    calls += 1000;
    prometheus.metrics = metricsAfter(calls);
    const now = await graph.graph({ seconds: 60, namespace: 'shop' });
    expect(now.missing).toEqual([]);
    return (now.edges[0]?.golden.requests ?? 0) > 3000 && now.edges[0]?.golden.p50Ms !== undefined ? now : undefined;
  });
  const [edge] = view.edges;
  expect(view.edges).toHaveLength(1);
  expect(edge).toMatchObject({ id: 'shop/ui>shop/ordering', mtls: 'all', protocol: 'http', reporter: 'source' });
  const { requests, failures, p50Ms = 0, p99Ms = 0 } = edge?.golden ?? { requests: 1, failures: 0 };
  expect(failures / requests).toBeCloseTo(0.1, 2);
  expect(p50Ms).toBeCloseTo(5, 0);
  expect(p99Ms).toBeGreaterThan(9);
  expect(edge?.answers.map(({ code, flags }) => [code, flags])).toEqual([
    ['200', '-'],
    ['503', 'UC'],
  ]);
  expect(edge?.revisions.map(({ role, golden }) => [role, golden.failures > 0])).toEqual([
    ['stable', false],
    ['canary', true],
  ]);
  const { series, complete } = await waitFor('a series', async () => {
    const found = await figures.series({ of: 'edge', id: 'shop/ui>shop/ordering', seconds: 60, points: 12 });
    return found.series[0]?.perSecond.some((value) => (value ?? 0) > 0) ? found : undefined;
  });
  expect(complete).toBe(true);
  // From before it began to scrape it knows nothing.
  expect(series[0]?.perSecond[0]).toBeNull();
  expect(series[0]?.p99Ms.some((value) => (value ?? 0) > 9)).toBe(true);
}, 120_000);

test('a Prometheus that does not take the password is named', async () => {
  const client = new PrometheusClient({
    url: prometheus.url,
    timeoutMs: 10_000,
    allowed: blockList(['127.0.0.0/8']),
    authorization: async () => '',
  });
  const names = { ofService: (host: string) => host, hasSidecars: () => true };
  const { completeness } = await new PrometheusFigures(client, names, NO_POOLS, Date.now).window(60);
  expect(completeness.missing).toEqual([`Prometheus at ${prometheus.url} answers 401`]);
});
