import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import { METRICS_PAGE_ANNOTATION } from '../../api/pod-names.ts';
import type { TelemetryMetrics } from '../../api/telemetry.ts';
import { ClusterSchema } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ResourceSchema } from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import { METRICS_PAGE_CLUSTER } from '../../proxy/names.ts';
import { pod, SETTINGS, service, telemetry } from '../mesh/testing/objects.ts';
import { describeMetricsPage } from './metrics-page.ts';
import { CLUSTER_TYPE, LISTENER_TYPE } from './resource.ts';
import { MeshCache } from './testing/mesh-cache.ts';

const PROXY = { uid: 'web', podName: 'web', namespace: 'shop', serviceAccount: 'default' };

function setUp() {
  const made = pod('web', { uid: 'web', labels: { app: 'web' } });
  const annotations = { ...made.metadata?.annotations, [METRICS_PAGE_ANNOTATION]: 'overridden' };
  const mesh = new MeshCache(SETTINGS);
  mesh.put(
    { kind: 'Pod', object: { ...made, metadata: { ...made.metadata, annotations } } },
    {
      kind: 'Service',
      object: service('web', { app: 'web' }, { ports: [{ name: 'http', port: 80, targetPort: 8080 }] }),
    },
  );
  const say = (overrides: NonNullable<TelemetryMetrics['overrides']>) =>
    mesh.put({ kind: 'Telemetry', object: telemetry('shop/metrics', { metrics: [{ overrides }] }) });
  const listeners = () => [...mesh.cache.wildcard(PROXY, LISTENER_TYPE)].map(([name, { version }]) => [name, version]);
  const page = () => mesh.cache.lookup(PROXY, CLUSTER_TYPE, METRICS_PAGE_CLUSTER);
  return { say, listeners, page, clusters: () => mesh.cache.wildcard(PROXY, CLUSTER_TYPE) };
}

test('what a page shows changes a cluster and no listener', () => {
  const { say, listeners, page, clusters } = setUp();
  const before = listeners();
  expect(before.length).toBeGreaterThan(2);
  expect(page()).toBeUndefined();
  say([{ disabled: true }]);
  const first = page();
  expect(clusters().get(METRICS_PAGE_CLUSTER)?.version).toBe(first?.version);
  say([{ tagOverrides: { a: { value: '"b"' }, reporter: { operation: 'REMOVE' } } }]);
  expect(page()?.version).not.toBe(first?.version);
  expect(listeners()).toEqual(before);
  say([{ tagOverrides: { a: { value: 'request.host' } } }]);
  const counting = listeners();
  expect(
    counting.filter(([name, version], index) => before[index]?.[0] === name && before[index]?.[1] === version),
  ).toEqual([]);
  say([{ tagOverrides: { other: { value: 'request.host' } } }]);
  expect(listeners()).toEqual(counting);
  say([]);
  expect(listeners()).toEqual(before);
  expect(page()).toBeUndefined();
});

test('whatever a value holds, the page is told it in letters that JSON leaves alone', () => {
  const { say, page } = setUp();
  say([
    { match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' }, tagOverrides: { a: { value: String.raw`"\"'<>&;~ é\\"` } } },
  ]);
  const bytes = fromBinary(ResourceSchema, page()?.bytes ?? new Uint8Array()).resource?.value ?? new Uint8Array();
  const said = fromBinary(ClusterSchema, bytes).metadata?.filterMetadata.heddle?.metrics_page;
  expect(said).toBe('source istio_requests_total set a %22%27%3C%3E%26%3B%7e%20%C3%A9%5C');
});

test('each side is told apart', () => {
  const disabled = { family: 'istio_requests_total', disabled: true, tags: [] } as const;
  expect(describeMetricsPage({ client: [disabled], server: [] })).toBe('source istio_requests_total disable');
  expect(describeMetricsPage({ client: [], server: [disabled] })).toBe('destination istio_requests_total disable');
});
