import { beforeAll, describe, expect } from '@jest/globals';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import { DURATION_BUCKETS } from '../../../proxy/duration-buckets.ts';
import { METRICS_PORT, PROBE_PORT } from '../../../proxy/ports.ts';
import { find, readPage, type Series, total } from '../../feature/support/prometheus-page.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { Client, type ManyReport } from '../support/testbed-client.ts';
import { client, server } from '../support/testbed-objects.ts';
import { testbedPods } from '../support/testbed-pods.ts';

const mesh = useNamespace('metrics');
const ui = new Client(mesh, 'deployment/ui');
const SCRAPED = { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', 'prometheus.io/path': '/metrics' };
/** In the middle of a bucket: what Envoy and the client measure differs by less. */
const DELAY_MS = 170;

clusterSetup(
  [mesh],
  async () => {
    await mesh.apply(...server('ordering', { annotations: SCRAPED, labels: { version: 'v3' } }), ...client('ui'));
    await Promise.all(['ordering', 'ui'].map((name) => mesh.rolledOut(name)));
  },
  240_000,
);

/** What the sidecar of a pod counts. */
async function series(name: 'ui' | 'ordering'): Promise<Series[]> {
  const { status, body } = await new Client(mesh, `deployment/${name}`).http(
    `http://127.0.0.1:${METRICS_PORT}/stats/prometheus`,
  );
  expect(status).toBe(200);
  return readPage(body ?? '');
}

/** Waits until both sides count so much. */
async function both(name: string, labels: Readonly<Record<string, string>>, wanted: number): Promise<void> {
  await waitUntil(`${wanted} of ${name} ${JSON.stringify(labels)}`, async () => {
    const counts = await Promise.all(
      (['ui', 'ordering'] as const).map(async (who) => total(await series(who), name, labels)),
    );
    return counts.every((count) => count === wanted) ? undefined : `${counts}`;
  });
}

/** Index of the bucket in which a share of the requests ends. */
function bucketOf(counted: readonly Series[], labels: Readonly<Record<string, string>>, share: number): number {
  const name = 'istio_request_duration_milliseconds';
  const all = total(counted, `${name}_count`, labels);
  return DURATION_BUCKETS.findIndex(
    (upper) => total(counted, `${name}_bucket`, { ...labels, le: String(upper) }) >= share * all,
  );
}

describe('what the sidecars count of calls', () => {
  let reports: readonly ManyReport[] = [];

  beforeAll(async () => {
    if (reports.length > 0) return;
    reports = await ui.plan([
      { url: 'http://ordering/', count: 400, concurrency: 4 },
      { url: 'http://ordering/?status=503', count: 60, concurrency: 4 },
      { url: `http://ordering/?status=201&delay=${DELAY_MS}`, count: 100, concurrency: 2 },
      { url: 'http://ordering:81/', protocol: 'grpc', count: 50 },
      { url: 'ws://ordering/', protocol: 'websocket', count: 5 },
      { url: 'tcp://ordering:90', count: 30 },
    ]);
  }, 120_000);

  clusterTest('is what was called, on both sides, of every protocol', [mesh], async () => {
    const [good, bad, slow, grpc, sockets, tcp] = reports;
    expect([good?.ok, bad?.statuses[503], slow?.statuses[201], grpc?.ok, sockets?.statuses[101], tcp?.ok]).toEqual([
      400, 60, 100, 50, 5, 30,
    ]);
    const http = { destination_service_name: 'ordering', request_protocol: 'http' };
    await both('istio_requests_total', { ...http, response_code: '200' }, 400);
    await both('istio_requests_total', { ...http, response_code: '503' }, 60);
    await both('istio_requests_total', { ...http, response_code: '201' }, 100);
    await both('istio_requests_total', { ...http, response_code: '101' }, 5);
    await both('istio_requests_total', http, 565);
    await both('istio_requests_total', { request_protocol: 'grpc', grpc_response_status: '0' }, 50);
    await both('istio_tcp_connections_opened_total', { destination_service_name: 'ordering' }, 30);
    await both('istio_tcp_connections_closed_total', { destination_service_name: 'ordering' }, 30);
  });

  clusterTest('says who called whom, by what the certificates say', [mesh], async () => {
    for (const reporter of ['source', 'destination'] as const) {
      const counted = await series(reporter === 'source' ? 'ui' : 'ordering');
      const [{ labels } = { labels: {} }] = find(counted, 'istio_requests_total', { response_code: '503' });
      expect(labels).toMatchObject({
        reporter,
        source_workload: 'ui',
        source_workload_namespace: mesh.name,
        source_principal: expect.stringMatching(`/ns/${mesh.name}/sa/ui$`),
        destination_workload: 'ordering',
        destination_workload_namespace: mesh.name,
        destination_principal: expect.stringMatching(`/ns/${mesh.name}/sa/ordering$`),
        destination_version: 'v3',
        destination_canonical_revision: 'v3',
        destination_service: `ordering.${mesh.name}.svc.cluster.local`,
        destination_service_namespace: mesh.name,
        connection_security_policy: 'mutual_tls',
      });
    }
  });

  clusterTest('has durations within one bucket of what the client measured', [mesh], async () => {
    const slow = { response_code: '201', reporter: 'source' };
    const counted = await series('ui');
    for (const [share, measured] of [
      [0.5, reports[2]?.latencyMs.p50 ?? 0],
      [0.99, reports[2]?.latencyMs.p99 ?? 0],
    ] as const) {
      const wanted = DURATION_BUCKETS.findIndex((upper) => measured <= upper);
      expect(Math.abs(bucketOf(counted, slow, share) - wanted)).toBeLessThanOrEqual(1);
    }
  });

  clusterTest('stands where the annotations of the pod say, whatever the application has there', [mesh], async () => {
    const [pod] = await testbedPods(mesh, 'app=ordering');
    const { metadata } =
      (await mesh.list<{ metadata: { annotations: Record<string, string> } }>('pods', 'app=ordering'))[0] ?? {};
    expect(metadata?.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(PROBE_PORT),
      'prometheus.io/path': '/stats/prometheus',
    });
    const { body } = await ui.http(`http://${pod?.ip}:${PROBE_PORT}/stats/prometheus`);
    const page = readPage(body ?? '');
    expect(total(page, 'istio_requests_total', { response_code: '503' })).toBe(60);
    // The testbed answers that path with JSON.
    expect(find(page, 'heddle_application_scrape_success')).toMatchObject([{ value: 0 }]);
  });
});
