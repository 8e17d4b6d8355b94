import { expect, test } from '@jest/globals';
import { extensionProviders } from '../../api/extension-provider.ts';
import type { TelemetrySpec } from '../../api/telemetry.ts';
import { MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import type { MeshSettings } from './snapshot.ts';
import { pod, SETTINGS, service, telemetry } from './testing/objects.ts';

const PROVIDERS = extensionProviders.parse([
  { name: 'a', envoyFileAccessLog: { path: '/dev/stdout' } },
  { name: 'b', envoyFileAccessLog: { path: '/dev/stderr' } },
  { name: 'otel', opentelemetry: { service: 'otel.observe.svc.cluster.local', port: 4317 } },
  { name: 'zipkin', zipkin: { service: 'otel.observe.svc.cluster.local', port: 4317 } },
]);
const change = (one: MeshObject): MeshChange => ({ ...one, key: keyOf(one.object.metadata) }) as MeshChange;
const told = (key: string, spec: TelemetrySpec, created?: string): MeshObject => ({
  kind: 'Telemetry',
  object: telemetry(key, spec, created),
});
const web: MeshObject = { kind: 'Pod', object: pod('web', { uid: 'web', labels: { app: 'web' } }) };
const collector: MeshObject[] = [
  {
    kind: 'Service',
    object: {
      ...service('otel', { app: 'otel' }, { ports: [{ name: 'grpc', port: 4317, targetPort: 4317 }] }),
      metadata: { name: 'otel', namespace: 'observe' },
    },
  },
];

function build(objects: readonly MeshObject[], settings: Partial<MeshSettings> = {}) {
  const builder = new MeshBuilder({ ...SETTINGS, extensionProviders: PROVIDERS, ...settings });
  const apply = (...more: readonly MeshObject[]) => builder.apply(more.map(change)).snapshot;
  apply(web, ...objects);
  return { builder, apply };
}
const logs = (builder: MeshBuilder, side: 'client' | 'server' = 'server') =>
  builder.snapshot.workloads
    .get('web')
    ?.telemetry?.[side].accessLogs.map(({ provider, filter }) => [
      provider.name,
      ...(filter === undefined ? [] : [filter]),
    ]);
const view = (builder: MeshBuilder, key: string) => builder.snapshot.policies.get(`Telemetry/${key}`);
const by = (...names: string[]) => ({ providers: names.map((name) => ({ name })) });

test('without defaults and without a Telemetry nothing is told', () => {
  const { builder } = build([]);
  expect(builder.snapshot.workloads.get('web')?.telemetry).toBeUndefined();
});

test('the narrowest that names providers says who is told, and disabling is of those it names', () => {
  const { builder, apply } = build([told('heddle-system/mesh', { accessLogging: [by('a')] })]);
  expect(logs(builder)).toEqual([['a']]);
  apply(told('shop/all', { accessLogging: [by('a', 'b'), { ...by('b'), filter: { expression: 'true' } }] }));
  expect(logs(builder)).toEqual([['a'], ['b', 'true']]);
  apply(told('shop/web', { selector: { matchLabels: { app: 'web' } }, accessLogging: [{ disabled: true }] }));
  expect(logs(builder)).toEqual([]);
  apply(
    told('shop/web', {
      selector: { matchLabels: { app: 'web' } },
      accessLogging: [{ match: { mode: 'CLIENT' }, disabled: true }],
    }),
  );
  expect(logs(builder, 'client')).toEqual([]);
  expect(logs(builder)).toEqual([['a'], ['b', 'true']]);
});

test('of two for one namespace, or one pod, the older is in force and the other says so', () => {
  const selector = { matchLabels: { app: 'web' } };
  const { builder, apply } = build([
    told('shop/new', { accessLogging: [by('b')] }, '2026-02-01T00:00:00Z'),
    told('shop/old', { accessLogging: [by('a')] }),
  ]);
  expect(logs(builder)).toEqual([['a']]);
  expect(view(builder, 'shop/new')?.problems).toMatchObject([{ condition: 'Conflicted', reason: 'OlderPolicy' }]);
  expect(view(builder, 'shop/old')?.problems).toEqual([]);
  apply(
    told('shop/by-label', { selector, accessLogging: [by('b')] }),
    told('shop/later', { selector, accessLogging: [by('a')] }, '2026-02-01T00:00:00Z'),
  );
  expect(logs(builder)).toEqual([['b']]);
  expect(view(builder, 'shop/later')?.problems).toMatchObject([{ condition: 'Conflicted' }]);
  builder.apply([{ kind: 'Telemetry', key: 'shop/by-label', object: undefined }]);
  expect(logs(builder)).toEqual([['a']]);
  expect(view(builder, 'shop/later')?.problems).toEqual([]);
});

test('one in the root namespace that selects pods is in force nowhere', () => {
  const selector = { matchLabels: { app: 'web' } };
  const { builder } = build([told('heddle-system/web', { selector, accessLogging: [by('a')] })]);
  expect(builder.snapshot.workloads.get('web')?.telemetry).toBeUndefined();
  expect(view(builder, 'heddle-system/web')?.problems).toMatchObject([{ reason: 'SelectorInRootNamespace' }]);
});

test('whose service is not there is told when it comes, and the condition says so until then', () => {
  const tracing = [{ ...by('otel'), randomSamplingPercentage: 50 }];
  const { builder, apply } = build([told('shop/all', { tracing })]);
  const server = () => builder.snapshot.workloads.get('web')?.telemetry?.server.tracing;
  expect(server()).toBeUndefined();
  expect(view(builder, 'shop/all')?.notes).toEqual([
    'spec.tracing[0].providers: nothing is told, as of the provider "otel" nobody knows the service otel.observe.svc.cluster.local.',
  ]);
  apply(...collector);
  expect(server()).toMatchObject({ sampling: 50, service: 'otel.observe.svc.cluster.local', byRequestId: false });
  expect(view(builder, 'shop/all')?.notes).toEqual([]);
});

test('of tracing each field is the narrowest that says it', () => {
  const { builder, apply } = build([
    ...collector,
    told('heddle-system/mesh', { tracing: [{ ...by('otel'), randomSamplingPercentage: 10 }] }),
    told('shop/all', { tracing: [{ customTags: { a: { literal: { value: 'b' } } } }] }),
  ]);
  const traced = (side: 'client' | 'server') => builder.snapshot.workloads.get('web')?.telemetry?.[side].tracing;
  expect(traced('client')).toMatchObject({ sampling: 10, customTags: { a: { literal: { value: 'b' } } } });
  expect(traced('client')).not.toHaveProperty('silent');
  apply(told('shop/all', { tracing: [{ match: { mode: 'SERVER' }, disableContextPropagation: true }] }));
  expect(traced('client')).not.toHaveProperty('silent');
  expect(traced('server')).toMatchObject({ sampling: 10, silent: true });
  apply(told('shop/all', { tracing: [{ match: { mode: 'CLIENT' }, disableSpanReporting: true }] }));
  expect(traced('client')).toBeUndefined();
  expect(traced('server')).toMatchObject({ sampling: 10, customTags: {} });
});

test('who is told nothing of himself: pods of a provider make no spans of the spans that they take', () => {
  const otel = pod('otel', { uid: 'otel', labels: { app: 'otel' } });
  otel.metadata = { ...otel.metadata, namespace: 'observe' };
  const { builder } = build([
    ...collector,
    { kind: 'Pod', object: otel },
    told('heddle-system/mesh', { tracing: [by('otel')] }),
  ]);
  const { telemetry: own } = builder.snapshot.workloads.get('otel') ?? {};
  expect(own?.server.tracing).toBeUndefined();
  expect(own?.client.tracing).toBeDefined();
});

test('defaults of the mesh configuration are told without any Telemetry', () => {
  const defaultProviders = { accessLogging: ['envoy'], tracing: [], metrics: [] };
  expect(logs(build([], { defaultProviders }).builder)).toEqual([['envoy']]);
});

test('what is not in force is named', () => {
  const { builder } = build([told('shop/all', { metrics: [{ overrides: [{ disabled: true }] }], tracing: [{}] })]);
  expect(view(builder, 'shop/all')?.notes.join(' ')).toMatch(
    /spec\.tracing: names no provider.*spec\.metrics: is not in force/,
  );
});

test('what is not in force changes nothing of what sidecars are told', () => {
  const accessLogging = [by('a')];
  const { builder } = build([told('shop/all', { accessLogging })]);
  const metrics = [{ overrides: [{ disabled: true }] }];
  const { delta } = builder.apply([change(told('shop/all', { accessLogging, metrics }))]);
  expect([...delta.workloads]).toEqual([]);
  expect([...delta.policies]).toEqual(['Telemetry/shop/all']);
});

test('who names no provider is told so where no wider one names one either', () => {
  const note = expect.stringContaining('spec.tracing: names no provider');
  const tracing = [{ customTags: { a: { literal: { value: 'b' } } } }];
  const { builder, apply } = build([
    ...collector,
    told('heddle-system/mesh', { tracing: [by('otel')] }),
    told('shop/all', { tracing }),
    told('shop/web', {
      selector: { matchLabels: { app: 'web' } },
      tracing: [{ disableSpanReporting: true }],
      accessLogging: [{ disabled: true }],
    }),
  ]);
  expect(view(builder, 'shop/all')?.notes).toEqual([]);
  apply(told('heddle-system/mesh', { accessLogging: [by('a')] }));
  expect(view(builder, 'shop/all')?.notes).toEqual([note]);
  // Nothing is told to nobody, which is what they ask for.
  expect(view(builder, 'shop/web')?.notes).toEqual([]);
});

test("what is not in force with a wider one's provider is named", () => {
  const { builder, apply } = build([
    ...collector,
    told('heddle-system/mesh', { tracing: [by('otel')] }),
    told('shop/all', { tracing: [{ useRequestIdForTraceSampling: false }] }),
  ]);
  expect(view(builder, 'shop/all')?.notes).toEqual([]);
  apply(told('heddle-system/mesh', { tracing: [by('zipkin')] }));
  expect(view(builder, 'shop/all')?.notes).toEqual([expect.stringContaining('is not in force with Zipkin')]);
});
