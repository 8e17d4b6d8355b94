import { describe, expect, test } from '@jest/globals';
import type { WorkloadEntrySpec } from '../../api/workload-entry.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import { type MeshObject, meshObject } from './mesh-object.ts';
import { pod, SETTINGS, service, serviceEntry, slice, workloadEntry } from './testing/objects.ts';

const HOST = 'web.shop.svc.cluster.local';
const VM: WorkloadEntrySpec = { address: '192.0.2.1', labels: { app: 'web' } };
const web: MeshObject = { kind: 'Service', object: service('web', { app: 'web' }) };
const ours: MeshObject = {
  kind: 'Namespace',
  object: { metadata: { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' } } },
};
const entryObject = (spec: WorkloadEntrySpec): MeshObject => ({
  kind: 'WorkloadEntry',
  object: workloadEntry('shop/vm', spec),
});
const endpointsOf = (...objects: MeshObject[]) => buildSnapshot(SETTINGS, objects).endpoints.get(HOST);
const viewOf = (...objects: MeshObject[]) =>
  buildSnapshot(SETTINGS, [ours, ...objects]).policies.get('WorkloadEntry/shop/vm');

describe('a WorkloadEntry that a Service selects', () => {
  test('is an endpoint beside the pods', () => {
    const one = pod('web', { labels: { app: 'web' } });
    const objects: MeshObject[] = [
      web,
      { kind: 'Pod', object: one },
      { kind: 'EndpointSlice', object: slice('web', [one]) },
    ];
    const endpoints = endpointsOf(
      ...objects,
      entryObject({ ...VM, weight: 2, locality: 'eu/eu-1', serviceAccount: 'vm' }),
    );
    expect(endpoints).toHaveLength(2);
    expect(endpoints).toContainEqual({
      address: '192.0.2.1',
      entry: 'WorkloadEntry/shop/vm',
      labels: { app: 'web' },
      weight: 2,
      ports: { http: 8080 },
      namespace: 'shop',
      spiffeId: 'spiffe://cluster.local/ns/shop/sa/vm',
      mtls: true,
      plaintextPorts: [],
      revision: '',
      gated: false,
      locality: { region: 'eu', zone: 'eu-1', subzone: '' },
    });
  });

  test.each([
    ['the number of targetPort', 8080, {}, { http: 8080 }],
    ['its own by the name of the port', 8080, { http: 81 }, { http: 81 }],
    ['its own by the name of targetPort', 'web', { web: 82, http: 81 }, { http: 82 }],
    ['none without that name', 'web', {}, {}],
    ['none by a name that objects inherit', 'constructor', {}, {}],
  ])('listens on %s', (_what, targetPort, ports, expected) => {
    const object = service('web', { app: 'web' }, { ports: [{ name: 'http', port: 80, targetPort }] });
    expect(endpointsOf({ kind: 'Service', object }, entryObject({ ...VM, ports }))?.[0]?.ports).toEqual(expected);
  });

  test('goes by the labels of its metadata over those of its spec', () => {
    const entry = workloadEntry('shop/vm', { ...VM, labels: { app: 'db', tier: 'x' } });
    const object = { ...entry, metadata: { ...entry.metadata, labels: { app: 'web' } } };
    expect(endpointsOf(web, { kind: 'WorkloadEntry', object })?.[0]?.labels).toEqual({ app: 'web', tier: 'x' });
  });

  test.each([
    ['a name', { address: 'vm.example.com' }],
    ['a Unix domain socket', { address: 'unix:///run/app.sock' }],
    ['invalid', { address: 'no address' }],
  ])('is no endpoint when its address is %s', (_what, { address }) => {
    expect(endpointsOf(web, entryObject({ ...VM, address }))).toEqual([]);
  });

  test('comes and goes with its events alone', () => {
    const builder = new MeshBuilder(SETTINGS);
    builder.apply([{ kind: 'Service', key: 'shop/web', object: service('web', { app: 'web' }) }]);
    const object = workloadEntry('shop/vm', VM);
    const { delta } = builder.apply([{ kind: 'WorkloadEntry', key: 'shop/vm', object }]);
    expect([...delta.endpoints]).toEqual([HOST]);
    expect(builder.snapshot.endpoints.get(HOST)).toHaveLength(1);
    builder.apply([{ kind: 'WorkloadEntry', key: 'shop/vm', object: undefined }]);
    expect(builder.snapshot.endpoints.get(HOST)).toEqual([]);
  });
});

describe('what its user hears of a WorkloadEntry', () => {
  test('nothing, in a namespace that is not ours', () => {
    expect(buildSnapshot(SETTINGS, [entryObject(VM)]).policies.size).toBe(0);
  });

  test('that nothing selects it', () => {
    const view = viewOf(entryObject(VM));
    expect(view).toMatchObject({ problems: [], reach: { kind: 'clients', visibility: [] } });
    expect(view?.notes).toEqual([
      expect.stringContaining('no Service and no ServiceEntry of its namespace selects it'),
    ]);
  });

  test('who its clients are: those of all that select it', () => {
    const spec = {
      hosts: ['a.example.com'],
      resolution: 'STATIC' as const,
      workloadSelector: { labels: { app: 'web' } },
    };
    const entries = ['.', 'other'].map((exportTo, index): MeshObject => {
      const object = serviceEntry(`shop/se${index}`, {
        ...spec,
        hosts: [`${index}.example.com`],
        exportTo: [exportTo],
      });
      return { kind: 'ServiceEntry', object };
    });
    expect(viewOf(entryObject(VM), ...entries)).toMatchObject({
      reach: { kind: 'clients', visibility: ['other', 'shop'], labels: {} },
      notes: [],
    });
    expect(viewOf(entryObject(VM), ...entries, web)).toMatchObject({ reach: { visibility: '*' } });
  });

  test('which fields are wrong', () => {
    const view = viewOf(web, entryObject({ address: 'no address', ports: { http: 0 } }));
    expect(view?.problems).toMatchObject([{ condition: 'Accepted', reason: 'Invalid' }]);
    expect(view?.problems[0]?.message).toMatch(/spec\.ports\[http\]: .*; spec\.address: .* is not in force/);
    expect(view?.notes).toEqual([]);
  });

  test('that a Service takes no name', () => {
    expect(viewOf(web, entryObject({ ...VM, address: 'vm.example.com' }))?.notes).toEqual([
      expect.stringContaining('Service shop/web leave it out'),
    ]);
  });

  test('what is not in force', () => {
    expect(viewOf(web, entryObject({ ...VM, network: 'elsewhere' }))?.notes).toEqual([
      expect.stringContaining('spec.network is not in force'),
    ]);
    const labels = { ...VM.labels, 'security.istio.io/tlsMode': 'istio' };
    expect(viewOf(web, entryObject({ ...VM, labels }))?.notes).toEqual([
      expect.stringContaining('spec.serviceAccount is not set'),
    ]);
  });

  test.each([['text'], [[1]], [null], [{ address: 5 }]])('that the spec %j is none', (spec) => {
    const object = meshObject({ ...workloadEntry('shop/vm', VM), ...{ spec } });
    expect(object && viewOf(object)?.problems).toMatchObject([{ reason: 'Invalid' }]);
  });
});
