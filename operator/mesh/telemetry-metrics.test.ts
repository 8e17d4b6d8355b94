import { expect, test } from '@jest/globals';
import { METRICS_PAGE_ANNOTATION } from '../../api/pod-names.ts';
import type { TelemetryMetrics } from '../../api/telemetry.ts';
import { METRIC_FAMILIES } from '../../api/telemetry-metrics.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './snapshot.ts';
import { pod, SETTINGS, telemetry } from './testing/objects.ts';

const change = (one: MeshObject): MeshChange => ({ ...one, key: keyOf(one.object.metadata) }) as MeshChange;
const said = (key: string, metrics: TelemetryMetrics[], aim = {}): MeshObject => ({
  kind: 'Telemetry',
  object: telemetry(key, { ...aim, metrics }),
});
const SELECTS_WEB = { selector: { matchLabels: { app: 'web' } } };
type Metric = keyof typeof METRIC_FAMILIES;
const COUNT = METRIC_FAMILIES.REQUEST_COUNT;

function podOf(name: string, overridesMetrics = true): MeshObject {
  const made = pod(name, { uid: name, labels: { app: name } });
  if (!overridesMetrics) return { kind: 'Pod', object: made };
  const annotations = { ...made.metadata?.annotations, [METRICS_PAGE_ANNOTATION]: 'overridden' };
  return { kind: 'Pod', object: { ...made, metadata: { ...made.metadata, annotations } } };
}

function build(objects: readonly MeshObject[], settings: Partial<MeshSettings> = {}) {
  const builder = new MeshBuilder({ ...SETTINGS, ...settings });
  builder.apply([podOf('web'), ...objects].map(change));
  const of = (uid = 'web') => builder.snapshot.workloads.get(uid)?.telemetry;
  const notes = (key: string) => builder.snapshot.policies.get(`Telemetry/${key}`)?.notes;
  const apply = (...more: readonly MeshObject[]) => builder.apply(more.map(change));
  return { of, notes, apply };
}

test('overrides go in their order, the widest first, and of each field the last one wins', () => {
  const { of } = build([
    said('heddle-system/mesh', [
      {
        overrides: [
          ...Object.keys(METRIC_FAMILIES).map((metric) => ({ match: { metric: metric as Metric }, disabled: true })),
          { match: { metric: 'REQUEST_COUNT' }, disabled: false, tagOverrides: { a: { value: '"mesh"' } } },
        ],
      },
    ]),
    said('shop/all', [
      { overrides: [{ match: { metric: 'REQUEST_COUNT' }, tagOverrides: { a: { value: '"shop"' } } }] },
    ]),
    said(
      'shop/web',
      [
        {
          overrides: [
            {
              match: { metric: 'REQUEST_COUNT', mode: 'CLIENT' },
              tagOverrides: { response_flags: { operation: 'REMOVE' }, host: { value: 'request.host' } },
            },
            { match: { metric: 'TCP_SENT_BYTES', mode: 'SERVER' }, disabled: false },
          ],
        },
      ],
      SELECTS_WEB,
    ),
  ]);
  const { metrics, client, server } = of() ?? {};
  const others = Object.values(METRIC_FAMILIES).filter((family) => family !== COUNT);
  const disabled = (families: readonly string[]) => families.map((family) => ({ family, disabled: true, tags: [] }));
  expect(metrics?.client).toHaveLength(8);
  expect(metrics?.client.filter(({ family }) => family !== COUNT)).toEqual(
    disabled(others.toSorted((a, b) => (a < b ? -1 : 1))),
  );
  expect(metrics?.client.find(({ family }) => family === COUNT)).toEqual({
    family: COUNT,
    disabled: false,
    tags: [
      { label: 'a', constant: 'shop' },
      { label: 'host', expression: 'request.host' },
      { label: 'response_flags', removed: true },
    ],
  });
  expect(metrics?.server.map(({ family }) => family)).not.toContain('istio_tcp_sent_bytes_total');
  expect(client?.tagged).toEqual([{ family: COUNT, expressions: ['request.host'] }]);
  expect(server?.tagged).toBeUndefined();
});

type Overrides = NonNullable<TelemetryMetrics['overrides']>;
const EVERY = Object.values(METRIC_FAMILIES).toSorted();
const WITHOUT_FLAGS = { response_flags: { operation: 'REMOVE' as const } };
const ALL_OFF = { match: { metric: 'ALL_METRICS' as const }, disabled: true };

// What Istio's mergeMetrics makes of these, the first in the root namespace, the second in the pod's, the third for the pod.
test.each<[string, Overrides[], { off: string[]; tagged?: string[] }]>([
  ['all that is disabled at once', [[ALL_OFF]], { off: EVERY }],
  ['all that is disabled without a name', [[{ disabled: true }]], { off: EVERY }],
  [
    'what a narrower Telemetry says nothing of',
    [[ALL_OFF], [], [{ match: { metric: 'REQUEST_COUNT', mode: 'SERVER' }, disabled: false }]],
    { off: EVERY },
  ],
])('%s stays disabled', (_, [mesh = [], shop = [], web = []], { off }) => {
  const { of } = build([
    said('heddle-system/mesh', [{ overrides: mesh }]),
    said('shop/all', [{ overrides: shop }]),
    said('shop/web', [{ overrides: web }], SELECTS_WEB),
  ]);
  expect(of()?.metrics?.client).toEqual(off.map((family) => ({ family, disabled: true, tags: [] })));
});

test.each<[string, Overrides, Overrides, { off: string[]; tagged: string[] }]>([
  [
    'a label',
    [ALL_OFF],
    [{ match: { metric: 'REQUEST_COUNT' }, tagOverrides: WITHOUT_FLAGS }],
    { off: [], tagged: [COUNT] },
  ],
  ['one that is not', [ALL_OFF], [{ match: { metric: 'REQUEST_COUNT' }, disabled: false }], { off: [], tagged: [] }],
  ['one that is', [ALL_OFF], [{ match: { metric: 'REQUEST_COUNT' }, disabled: true }], { off: [COUNT], tagged: [] }],
  ['nothing of all', [ALL_OFF], [{ match: { metric: 'ALL_METRICS' } }], { off: [], tagged: [] }],
  [
    'one that is not counted',
    [ALL_OFF],
    [{ match: { customMetric: 'mine' }, disabled: true }],
    { off: [], tagged: [] },
  ],
  [
    'one after another that was disabled by name before',
    [
      { match: { metric: 'REQUEST_SIZE' }, disabled: true },
      { ...ALL_OFF, tagOverrides: WITHOUT_FLAGS },
    ],
    [{ match: { metric: 'REQUEST_COUNT' }, tagOverrides: WITHOUT_FLAGS }],
    { off: ['istio_request_bytes'], tagged: [COUNT] },
  ],
])('all that was disabled at once is back once a narrower Telemetry says %s', (_, mesh, shop, { off, tagged }) => {
  const { of } = build([said('heddle-system/mesh', [{ overrides: mesh }]), said('shop/all', [{ overrides: shop }])]);
  const { client = [], server = [] } = of()?.metrics ?? {};
  expect(client).toEqual(server);
  expect(client.filter(({ disabled }) => disabled).map(({ family }) => family)).toEqual(off);
  expect(client.filter(({ disabled }) => !disabled).map(({ family }) => family)).toEqual(tagged);
});

test('what needs no other counting leaves listeners as they are, and so do names of labels', () => {
  const { of, apply } = build([
    said('shop/all', [{ overrides: [{ tagOverrides: { a: { value: 'request.method' } } }] }]),
  ]);
  const before = of();
  apply(
    said('shop/all', [
      {
        overrides: [{ tagOverrides: { b: { value: 'string(request.method)' }, reporter: { operation: 'REMOVE' } } }],
      },
    ]),
  );
  expect(of()?.metrics).not.toEqual(before?.metrics);
  expect([of()?.client.digest, of()?.server.digest]).toEqual([before?.client.digest, before?.server.digest]);
  apply(said('shop/all', [{ overrides: [{ tagOverrides: { b: { value: 'request.host' } } }] }]));
  expect(of()?.client.digest).not.toBe(before?.client.digest);
});

test('parts for providers that a narrower Telemetry does not name are not in force, nor are those of unknown ones', () => {
  const disabling = (name?: string) => ({
    ...(name === undefined ? {} : { providers: [{ name }] }),
    overrides: [{ match: { metric: 'REQUEST_COUNT' as const }, disabled: true }],
  });
  const settings = { extensionProviders: [{ name: 'other', prometheus: {} }] };
  const { of, notes, apply } = build([said('heddle-system/mesh', [disabling('prometheus')])], settings);
  expect(of()?.metrics?.client).toHaveLength(1);
  apply(said('shop/all', [{ providers: [{ name: 'other' }] }]));
  expect(of()?.metrics).toBeUndefined();
  apply(said('shop/all', [disabling()]));
  expect(of()?.metrics?.client).toHaveLength(1);
  apply(said('shop/all', [disabling('nobody')]));
  expect(of()?.metrics).toBeUndefined();
  expect(notes('shop/all')).toEqual([
    'spec.metrics[0].providers: nothing is told, as the mesh configuration has no provider "nobody".',
  ]);
});

test('a standard metric may be named as in Prometheus; what is not in force says so', () => {
  const { of, notes } = build(
    [
      said('shop/all', [
        {
          reportingInterval: '5s',
          overrides: [
            { match: { customMetric: 'requests_total', mode: 'SERVER' }, disabled: true },
            { match: { customMetric: 'mine' }, disabled: true },
            { match: { metric: 'GRPC_REQUEST_MESSAGES' }, disabled: true },
          ],
        },
      ]),
    ],
    { prometheus: { url: 'http://prometheus' } },
  );
  expect(of()?.metrics).toEqual({ client: [], server: [{ family: COUNT, disabled: true, tags: [] }] });
  expect(notes('shop/all')).toEqual([
    'spec.metrics[0].reportingInterval: is not in force: connections are counted as they open and close.',
    'spec.metrics[0].overrides[1].match.customMetric: is not in force: sidecars count no metric "mine".',
    'spec.metrics[0].overrides[2].match.metric: is not in force: messages of gRPC (GRPC_REQUEST_MESSAGES) are not counted.',
    'spec.metrics: the mesh configuration has a prometheus, so graph and figures of the dashboard show what these pages do.',
  ]);
});

test('a sidecar of an older version shows all, and the condition says so until it is gone', () => {
  const all = said('heddle-system/mesh', [{ overrides: [{ match: { metric: 'REQUEST_COUNT' }, disabled: true }] }]);
  const { of, notes, apply } = build([podOf('old', false), all]);
  expect(of('old')?.metrics).toBeUndefined();
  expect(of('web')?.metrics).toBeDefined();
  expect(notes('heddle-system/mesh')).toEqual([
    'spec.metrics: is not in force everywhere: sidecars of pods without the annotation heddle.dev/metrics-page are of an older version, and show all metrics until these pods are made anew.',
  ]);
  apply(podOf('old'));
  expect(of('old')?.metrics).toBeDefined();
  expect(notes('heddle-system/mesh')).toEqual([]);
});
