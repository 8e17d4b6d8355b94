import { describe, expect, test } from '@jest/globals';
import type { ServiceEntrySpec } from '../../api/service-entry.ts';
import { dnsAddressOf } from './dns-address.ts';
import { buildSnapshot } from './mesh-builder.ts';
import { type MeshObject, meshObject } from './mesh-object.ts';
import { SETTINGS, service, serviceEntry } from './testing/objects.ts';

const HTTPS = { number: 443, name: 'https', protocol: 'HTTPS' };
const BASIC: ServiceEntrySpec = { hosts: ['api.example.com'], ports: [HTTPS], resolution: 'DNS' };
const KEY = 'shop/api.example.com';

function snapshotOf(...specs: Partial<ServiceEntrySpec>[]) {
  const objects = specs.map((spec, index): MeshObject => {
    const object = serviceEntry(`shop/se${index}`, { ...BASIC, ...spec }, `2026-01-0${index + 1}T00:00:00Z`);
    return { kind: 'ServiceEntry', object };
  });
  return buildSnapshot(SETTINGS, objects);
}
const serviceOf = (spec: Partial<ServiceEntrySpec>) => snapshotOf(spec).services.get(KEY);

describe('the service of a ServiceEntry', () => {
  test('is known by namespace and host', () => {
    const { services } = snapshotOf({ hosts: ['api.example.com', 'www.example.com'] });
    expect([...services.keys()].sort()).toEqual(['shop/api.example.com', 'shop/www.example.com']);
    expect(services.get(KEY)).toEqual({
      key: KEY,
      hostname: 'api.example.com',
      name: 'api.example.com',
      namespace: 'shop',
      kind: 'Entry',
      object: { kind: 'ServiceEntry', namespace: 'shop', name: 'se0' },
      createdAt: Date.parse('2026-01-01T00:00:00Z'),
      visibility: '*',
      resolution: 'dns',
      external: true,
      addresses: [],
      dnsAddress: dnsAddressOf('api.example.com'),
      subjectAltNames: [],
      ports: [{ name: 'https', port: 443, targetPort: 443, protocol: 'tls' }],
      selector: {},
    });
  });

  test.each([
    ['hosts', { hosts: ['API.Example.com.', 'api.example.com'] }, { hostname: 'api.example.com' }],
    ['location', { location: 'MESH_INTERNAL' }, { external: false }],
    ['resolution: NONE', { resolution: 'NONE' }, { resolution: 'original-destination' }],
    ['resolution, by default NONE', { resolution: undefined }, { resolution: 'original-destination' }],
    ['resolution: STATIC', { resolution: 'STATIC' }, { resolution: 'endpoints' }],
    ['resolution: DNS_ROUND_ROBIN', { resolution: 'DNS_ROUND_ROBIN' }, { resolution: 'dns-round-robin' }],
    ['addresses', { resolution: 'STATIC', addresses: ['192.0.2.1/32', '192.0.2.1'] }, { addresses: ['192.0.2.1'] }],
    [
      'blocks',
      { resolution: 'STATIC', addresses: ['10.0.0.0/8', '2001:DB8::1/128'] },
      { addresses: ['10.0.0.0/8', '2001:db8::1'] },
    ],
    ['exportTo', { exportTo: ['.', 'other'] }, { visibility: ['other', 'shop'] }],
    ['exportTo: nobody', { exportTo: ['~'] }, { visibility: [] }],
    ['subjectAltNames', { subjectAltNames: ['api.example.com'] }, { subjectAltNames: ['api.example.com'] }],
    ['workloadSelector', { workloadSelector: { labels: { app: 'vm' } } }, { selector: { app: 'vm' } }],
    [
      'workloadSelector with NONE',
      { resolution: 'NONE', workloadSelector: { labels: { app: 'vm' } } },
      { selector: {} },
    ],
    [
      'targetPort',
      { ports: [{ ...HTTPS, targetPort: 8443 }] },
      { ports: [{ name: 'https', port: 443, targetPort: 8443, protocol: 'tls' }] },
    ],
  ] satisfies [string, Partial<ServiceEntrySpec>, object][])('has its %s', (_field, spec, expected) => {
    expect(serviceOf(spec)).toMatchObject(expected);
  });

  test.each([
    ['HTTP', 'http'],
    ['http2', 'http2'],
    ['GRPC', 'grpc'],
    ['GRPC-WEB', 'grpc'],
    ['HTTPS', 'tls'],
    ['TLS', 'tls'],
    ['TCP', 'tcp'],
    ['MONGO', 'tcp'],
    ['MYSQL', 'tcp'],
    ['REDIS', 'tcp'],
    ['UDP', 'udp'],
    [undefined, 'auto'],
    ['', 'auto'],
  ])('reads the protocol %s as %s, whatever the name of the port', (protocol, expected) => {
    const ports = [{ number: 9000, name: 'grpc-api', ...(protocol === undefined ? {} : { protocol }) }];
    expect(serviceOf({ ports })?.ports[0]?.protocol).toBe(expected);
  });

  test.each([
    ['has addresses', { addresses: ['192.0.2.1'] }],
    ['is a wildcard', { hosts: ['*.example.com'], resolution: 'NONE' }],
    ['is a wildcard with endpoints', { hosts: ['*.example.com'], endpoints: [{ address: 'lb.example.com' }] }],
    ['goes where the client meant', { resolution: 'NONE' }],
  ] satisfies [string, Partial<ServiceEntrySpec>][])('needs no address of DNS capture when it %s', (_why, spec) => {
    const [made] = snapshotOf(spec).services.values();
    expect(made).toMatchObject({ kind: 'Entry' });
    expect(made).not.toHaveProperty('dnsAddress');
  });

  test('of two names with one DNS address only the older has it', () => {
    const [first, second] = ['h5703.example.com', 'h8141.example.com'];
    expect(dnsAddressOf(first)).toBe(dnsAddressOf(second));
    const { services, policies } = snapshotOf({ hosts: [second] }, { hosts: [first] });
    expect(services.get(`shop/${second}`)).toHaveProperty('dnsAddress', dnsAddressOf(second));
    expect(services.get(`shop/${first}`)).not.toHaveProperty('dnsAddress');
    expect(policies.size).toBe(0);
  });

  test('of two ServiceEntries with one host in a namespace is the older, and of two namespaces each has its own', () => {
    const old = serviceEntry('shop/z', { ...BASIC, resolution: 'NONE' }, '2025-01-01T00:00:00Z');
    const young = serviceEntry('shop/a', { ...BASIC, hosts: ['api.example.com', 'b.example.com'] });
    const foreign = serviceEntry('other/a', BASIC);
    const objects = [young, old, foreign].map((object): MeshObject => ({ kind: 'ServiceEntry', object }));
    const { services } = buildSnapshot(SETTINGS, objects);
    expect(services.get(KEY)?.object.name).toBe('z');
    expect(services.get('shop/b.example.com')?.object.name).toBe('a');
    expect(services.get('other/api.example.com')?.object.namespace).toBe('other');
  });

  test('is not there when a Kubernetes Service has the name, even of another namespace', () => {
    const entry = serviceEntry('other/se', { ...BASIC, hosts: ['web.shop.svc.cluster.local'] });
    const { services } = buildSnapshot(SETTINGS, [
      { kind: 'ServiceEntry', object: entry },
      { kind: 'Service', object: service('web', {}) },
    ]);
    expect([...services.keys()]).toEqual(['web.shop.svc.cluster.local']);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'hosts'],
    ['a list', [1]],
    ['hosts that are no list', { hosts: { length: 1 } }],
    ['ports without numbers', { hosts: ['a.example.com'], ports: [{ name: 'x' }] }],
    ['a bad host', { hosts: ['a.example.com', 'no host!'] }],
    [
      '__proto__ as a label',
      { hosts: ['a.example.com'], workloadSelector: { labels: JSON.parse('{"__proto__":"x"}') } },
    ],
    ['a resolution that is not supported', { hosts: ['*.example.com'], resolution: 'DYNAMIC_DNS' }],
  ])('is not there when the spec is %s', (_what, spec) => {
    const object = meshObject({ ...serviceEntry('shop/se', BASIC), ...{ spec } });
    expect(buildSnapshot(SETTINGS, object === undefined ? [] : [object]).services.size).toBe(0);
    expect(object).toBeDefined();
  });

  test('takes null for a field that is left out', () => {
    const spec = { ...BASIC, addresses: null, workloadSelector: null };
    const object = meshObject({ ...serviceEntry('shop/se', BASIC), ...{ spec } });
    expect(buildSnapshot(SETTINGS, object === undefined ? [] : [object]).services.has(KEY)).toBe(true);
  });
});
