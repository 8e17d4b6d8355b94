import { describe, expect, test } from '@jest/globals';
import type { ServiceEntrySpec } from '../../api/service-entry.ts';
import { buildSnapshot } from './mesh-builder.ts';
import { type MeshObject, meshObject } from './mesh-object.ts';
import { pod, SETTINGS, service, serviceEntry, workloadEntry } from './testing/objects.ts';

const BASIC: ServiceEntrySpec = {
  hosts: ['api.example.com'],
  ports: [{ number: 443, name: 'https', protocol: 'HTTPS' }],
  resolution: 'DNS',
};
const SELECTIVE: ServiceEntrySpec = { ...BASIC, resolution: 'STATIC', workloadSelector: { labels: { app: 'vm' } } };
const ours: MeshObject = {
  kind: 'Namespace',
  object: { metadata: { name: 'shop', labels: { 'heddle.dev/injection': 'enabled' } } },
};
const entry = (key: string, spec: ServiceEntrySpec, creation?: string): MeshObject => ({
  kind: 'ServiceEntry',
  object: serviceEntry(key, spec, creation),
});
const viewOf = (...objects: MeshObject[]) =>
  buildSnapshot(SETTINGS, [ours, ...objects]).policies.get('ServiceEntry/shop/se');

describe('what its user hears of a ServiceEntry', () => {
  test('whose proxies it is for, and nothing else when all is well', () => {
    expect(viewOf(entry('shop/se', { ...BASIC, exportTo: ['.'] }))).toEqual({
      object: { kind: 'ServiceEntry', namespace: 'shop', name: 'se' },
      generation: 1,
      reach: { kind: 'clients', visibility: ['shop'], labels: {} },
      selected: 0,
      problems: [],
      notes: [],
    });
  });

  test('nothing, in a namespace that is not ours', () => {
    expect(buildSnapshot(SETTINGS, [entry('shop/se', BASIC)]).policies.size).toBe(0);
  });

  test('every field that is wrong', () => {
    const hosts = ['no host!', '*'];
    const view = viewOf(entry('shop/se', { ...BASIC, hosts }));
    expect(view?.problems).toMatchObject([{ condition: 'Accepted', reason: 'Invalid' }]);
    expect(view?.problems[0]?.message).toMatch(
      /^spec\.hosts\[0\]: .*; spec\.hosts\[1\]: .*The ServiceEntry is not in force\.$/,
    );
    expect(view?.reach).toEqual({ kind: 'clients', visibility: [], labels: {} });
  });

  test('no more fields than can be read', () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `no host ${index}`);
    const message = viewOf(entry('shop/se', { ...BASIC, hosts }))?.problems[0]?.message ?? '';
    expect(message).toContain('; and ');
    expect(message.length).toBeLessThan(4000);
  });

  test.each([['text'], [[1]], [{ hosts: 'x' }], [null]])('that the spec %j is none', (spec) => {
    const object = meshObject({ ...serviceEntry('shop/se', BASIC), ...{ spec } });
    expect(object && viewOf(object)?.problems).toMatchObject([{ reason: 'Invalid' }]);
  });

  test('that it is not in force as a whole', () => {
    const view = viewOf(entry('shop/se', { ...BASIC, hosts: ['*.example.com'], resolution: 'DYNAMIC_DNS' }));
    expect(view).toMatchObject({ problems: [], notes: [expect.stringContaining('spec.resolution is not in force')] });
  });

  test('that an older one of its namespace has the host; the older hears nothing', () => {
    const old = entry('shop/old', BASIC, '2025-01-01T00:00:00Z');
    const view = viewOf(entry('shop/se', { ...BASIC, hosts: ['api.example.com', 'b.example.com'] }), old);
    expect(view?.problems).toMatchObject([{ condition: 'Conflicted', reason: 'OlderServiceEntry' }]);
    expect(view?.problems[0]?.message).toContain('ServiceEntry shop/old is older and has "api.example.com"');
    const young = entry('shop/young', BASIC, '2027-01-01T00:00:00Z');
    expect(viewOf(entry('shop/se', BASIC), young)?.problems).toEqual([]);
    expect(viewOf(entry('shop/se', BASIC), entry('other/old', BASIC, '2025-01-01T00:00:00Z'))?.problems).toEqual([]);
  });

  test('nothing of an older one that is not in force', () => {
    const old = entry('shop/old', { ...BASIC, hosts: ['api.example.com', 'no host!'] }, '2025-01-01T00:00:00Z');
    expect(viewOf(entry('shop/se', BASIC), old)?.problems).toEqual([]);
  });

  test('that a Kubernetes Service has the host', () => {
    const hosts = ['web.shop.svc.cluster.local'];
    const view = viewOf(entry('shop/se', { ...BASIC, hosts }), { kind: 'Service', object: service('web', {}) });
    expect(view?.problems).toMatchObject([{ condition: 'Conflicted', reason: 'KubernetesService' }]);
    expect(view?.problems[0]?.message).toContain('the Kubernetes Service shop/web');
  });

  test('that the address for its host is taken', () => {
    const old = entry('shop/old', { ...BASIC, hosts: ['h5703.example.com'] }, '2025-01-01T00:00:00Z');
    const view = viewOf(old, entry('shop/se', { ...BASIC, hosts: ['h8141.example.com'] }));
    expect(view?.notes).toEqual([expect.stringContaining('the older "h5703.example.com" happens to have it')]);
  });

  test('that it selects nothing, until a pod or a WorkloadEntry is there', () => {
    const selective = entry('shop/se', SELECTIVE);
    const labels = { app: 'vm' };
    expect(viewOf(selective)?.notes).toEqual([expect.stringContaining('selects no pod and no WorkloadEntry')]);
    expect(viewOf(selective, { kind: 'Pod', object: pod('vm', { labels }) })?.notes).toEqual([]);
    const object = workloadEntry('shop/vm', { address: '192.0.2.1', labels });
    expect(viewOf(selective, { kind: 'WorkloadEntry', object })?.notes).toEqual([]);
  });

  test('that only one of several is taken where Envoy takes one', () => {
    const labels = { app: 'vm' };
    const pods = ['a', 'b'].map((name): MeshObject => ({ kind: 'Pod', object: pod(name, { labels }) }));
    const view = viewOf(entry('shop/se', { ...SELECTIVE, resolution: 'DNS_ROUND_ROBIN' }), ...pods);
    expect(view?.notes).toEqual([expect.stringContaining('selects 2 workloads')]);
  });
});
