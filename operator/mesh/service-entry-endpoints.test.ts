import { describe, expect, test } from '@jest/globals';
import type { ServiceEntrySpec } from '../../api/service-entry.ts';
import type { WorkloadEntrySpec } from '../../api/workload-entry.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { type PodOptions, peerAuthentication, pod, SETTINGS, serviceEntry, workloadEntry } from './testing/objects.ts';

const INTERNAL: ServiceEntrySpec = {
  hosts: ['api.example.com'],
  ports: [
    { number: 80, name: 'http', protocol: 'HTTP', targetPort: 8080 },
    { number: 9000, name: 'raw', protocol: 'TCP' },
  ],
  location: 'MESH_INTERNAL',
  resolution: 'STATIC',
};
const SELECTOR = { workloadSelector: { labels: { app: 'vm' } } };
const SPIFFE_ID = 'spiffe://cluster.local/ns/shop/sa/vm';

function endpointsOf(spec: Partial<ServiceEntrySpec>, ...objects: MeshObject[]) {
  const object = serviceEntry('shop/se', { ...INTERNAL, ...spec });
  return buildSnapshot(SETTINGS, [{ kind: 'ServiceEntry', object }, ...objects]).endpoints.get('shop/api.example.com');
}
const listed = (endpoint: WorkloadEntrySpec, spec: Partial<ServiceEntrySpec> = {}) =>
  endpointsOf({ endpoints: [{ address: '192.0.2.1', ...endpoint }], ...spec })?.[0];
const podObject = (options: PodOptions): MeshObject => ({
  kind: 'Pod',
  object: pod('vm', { labels: { app: 'vm' }, deployment: 'vm', revision: 'r1', ...options }),
});
const entryObject = (name: string, spec: WorkloadEntrySpec): MeshObject => ({
  kind: 'WorkloadEntry',
  object: workloadEntry(`shop/${name}`, { labels: { app: 'vm' }, ...spec }),
});

describe('endpoints that a ServiceEntry lists', () => {
  test('have what they say of themselves', () => {
    const endpoint = {
      labels: { version: 'v1' },
      ports: { raw: 9009 },
      weight: 3,
      locality: 'eu/eu-1/rack7',
      serviceAccount: 'vm',
    };
    expect(listed(endpoint)).toEqual({
      address: '192.0.2.1',
      labels: { version: 'v1' },
      weight: 3,
      ports: { http: 8080, raw: 9009 },
      namespace: 'shop',
      spiffeId: SPIFFE_ID,
      mtls: true,
      plaintextPorts: [],
      revision: '',
      gated: false,
      locality: { region: 'eu', zone: 'eu-1', subzone: 'rack7' },
    });
  });

  test.each([
    ['weight 0 is 1', { weight: 0 }, { weight: 1 }],
    ['no weight is 1', {}, { weight: 1, ports: { http: 8080, raw: 9000 }, mtls: false }],
    [
      'locality by label',
      { labels: { 'istio-locality': 'eu.eu-1' } },
      { locality: { region: 'eu', zone: 'eu-1', subzone: '' } },
    ],
    ['locality over the label', { locality: 'us', labels: { 'istio-locality': 'eu' } }, { locality: { region: 'us' } }],
    [
      'tlsMode istio with an identity',
      { serviceAccount: 'vm', labels: { 'security.istio.io/tlsMode': 'istio' } },
      { mtls: true, spiffeId: SPIFFE_ID },
    ],
    [
      'tlsMode disabled',
      { serviceAccount: 'vm', labels: { 'security.istio.io/tlsMode': 'disabled' } },
      { mtls: false },
    ],
    ['tlsMode istio without an identity', { labels: { 'security.istio.io/tlsMode': 'istio' } }, { mtls: false }],
  ] satisfies [string, WorkloadEntrySpec, object][])('%s', (_what, endpoint, expected) => {
    expect(listed(endpoint)).toMatchObject(expected);
  });

  test('outside of the mesh speak no mesh mTLS', () => {
    const endpoint = listed({ serviceAccount: 'vm' }, { location: 'MESH_EXTERNAL' });
    expect(endpoint).toMatchObject({ mtls: false });
    expect(endpoint).not.toHaveProperty('spiffeId');
  });

  test('may be names when they are resolved by DNS', () => {
    expect(endpointsOf({ resolution: 'DNS', endpoints: [{ address: 'a.example.com' }] })).toMatchObject([
      { address: 'a.example.com' },
    ]);
  });

  test('are left out where there is nothing to connect to', () => {
    const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
    expect(endpointsOf({ ports, endpoints: [{ address: 'unix:///run/app.sock' }] })).toEqual([]);
    expect(endpointsOf({ endpoints: [{ network: 'elsewhere' }] })).toEqual([]);
  });

  test('never weigh more together than Envoy takes', () => {
    const endpoints = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((address, index) => ({
      address,
      weight: index === 0 ? 1 : 4_294_967_295,
    }));
    const weights = endpointsOf({ endpoints })?.map(({ weight }) => weight) ?? [];
    expect(weights).toEqual([1, weights[2], weights[1]]);
    expect(weights.reduce((sum, weight) => sum + weight)).toBeLessThanOrEqual(4_294_967_295);
    expect(weights[1]).toBeGreaterThan(2_147_000_000);
  });
});

describe('endpoints of a ServiceEntry without any', () => {
  test.each(['DNS', 'DNS_ROUND_ROBIN'] as const)('are its hosts, each for itself, with resolution %s', (resolution) => {
    const object = serviceEntry('shop/se', {
      ...INTERNAL,
      resolution,
      hosts: ['a.example.com', 'b.example.com'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    });
    const { endpoints } = buildSnapshot(SETTINGS, [{ kind: 'ServiceEntry', object }]);
    expect(endpoints.get('shop/a.example.com')).toMatchObject([
      { address: 'a.example.com', ports: { http: 80 }, mtls: false },
    ]);
    expect(endpoints.get('shop/b.example.com')).toMatchObject([{ address: 'b.example.com' }]);
  });

  test.each(['NONE', 'STATIC'] as const)('are none with resolution %s', (resolution) => {
    expect(endpointsOf({ resolution })).toEqual([]);
  });
});

describe('endpoints that a ServiceEntry selects', () => {
  test('are pods, with their identity, revision and named ports', () => {
    const [endpoint] = endpointsOf(SELECTOR, podObject({ ports: [{ name: 'http', containerPort: 8088 }] })) ?? [];
    expect(endpoint).toMatchObject({
      address: '10.0.0.1',
      workload: 'uid-vm',
      podName: 'vm',
      ports: { http: 8088, raw: 9000 },
      mtls: true,
      spiffeId: SPIFFE_ID,
      revision: 'r1',
      gated: false,
    });
    expect(endpoint?.labels).toMatchObject({ app: 'vm' });
  });

  test.each([
    ['is not ready', { conditions: { Ready: false } }],
    ['is held back by the gate', { gated: true }],
    ['is being deleted', { deleting: true }],
    ['is of another namespace', { namespace: 'other' }],
    ['has other labels', { labels: { app: 'web' } }],
  ] satisfies [string, PodOptions][])('are not pods of which one %s', (_why, options) => {
    expect(endpointsOf(SELECTOR, podObject(options))).toEqual([]);
  });

  test('are not pods on a lost node', () => {
    const node: MeshObject = {
      kind: 'Node',
      object: { metadata: { name: 'node-1' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    };
    expect(endpointsOf(SELECTOR, podObject({}), node)).toEqual([]);
  });

  test('speak mTLS as PeerAuthentication says, and none outside of the mesh', () => {
    const policy: MeshObject = {
      kind: 'PeerAuthentication',
      object: peerAuthentication('shop/off', { mtls: { mode: 'DISABLE' } }),
    };
    expect(endpointsOf(SELECTOR, podObject({}), policy)).toMatchObject([{ mtls: false }]);
    expect(endpointsOf(SELECTOR, podObject({ injected: false }))).toMatchObject([{ mtls: false }]);
    expect(endpointsOf({ ...SELECTOR, location: 'MESH_EXTERNAL' }, podObject({}))).toMatchObject([{ mtls: false }]);
  });

  test('are WorkloadEntries beside them, those with names only where DNS resolves them', () => {
    const objects = [
      podObject({}),
      entryObject('a', { address: '192.0.2.1', weight: 5, ports: { http: 81 } }),
      entryObject('b', { address: 'vm.example.com' }),
      entryObject('c', { address: 'not an address' }),
    ];
    expect(endpointsOf(SELECTOR, ...objects)).toMatchObject([
      { address: '10.0.0.1' },
      { address: '192.0.2.1', weight: 5, ports: { http: 81, raw: 9000 } },
    ]);
    expect(endpointsOf({ ...SELECTOR, resolution: 'DNS' }, ...objects)?.map(({ address }) => address)).toEqual([
      '10.0.0.1',
      '192.0.2.1',
      'vm.example.com',
    ]);
    // Envoy refuses a cluster of this kind with two.
    expect(endpointsOf({ ...SELECTOR, resolution: 'DNS_ROUND_ROBIN' }, ...objects)).toHaveLength(1);
  });
});
