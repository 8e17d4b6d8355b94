import { describe, expect, test } from '@jest/globals';
import type { DestinationRule, DestinationRuleSpec } from '../../api/destination-rule.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import type { MeshSnapshot } from './snapshot.ts';
import { destinationRule, pod, SETTINGS, service, serviceEntry, slice, virtualService } from './testing/objects.ts';

const HOST = 'api.shop.svc.cluster.local';
const YOUNG = '2026-02-02T00:00:00Z';
const OURS: MeshObject[] = ['shop', 'web', 'heddle-system'].map((name) => ({
  kind: 'Namespace',
  object: { metadata: { name, labels: { 'heddle.dev/injection': 'enabled' } } },
}));
const of = (object: DestinationRule): MeshObject => ({ kind: 'DestinationRule', object });
const api = (version: string) => pod(`api-${version}`, { labels: { app: 'api', version }, address: '10.0.0.9' });
const served: MeshObject[] = [
  { kind: 'Service', object: service('api', { app: 'api' }) },
  { kind: 'Pod', object: api('v1') },
  { kind: 'EndpointSlice', object: slice('api', [api('v1')]) },
];
const build = (...objects: MeshObject[]) => buildSnapshot(SETTINGS, [...OURS, ...objects]);
// Kind and object stay together, which a spread over a union of types does not show.
const change = (one: MeshObject) => ({ ...one, key: keyOf(one.object.metadata) }) as MeshChange;
const viewOf = (snapshot: MeshSnapshot, key: string) => snapshot.policies.get(`DestinationRule/${key}`);
const policyOf = (snapshot: MeshSnapshot, key: string) => snapshot.destinationPolicies.get(`DestinationRule/${key}`);

describe('a DestinationRule', () => {
  test.each([
    ['api', HOST],
    ['API', HOST],
    [HOST, HOST],
    [`${HOST}.`, HOST],
    ['*.Shop.svc.cluster.local', '*.shop.svc.cluster.local'],
    ['*', '*'],
    ['api.example.com', 'api.example.com'],
  ])('of the host %s is for %s', (host, resolved) => {
    expect(policyOf(build(of(destinationRule('shop/r', { host }))), 'shop/r')?.host).toBe(resolved);
  });

  test('is in the snapshot with all that it says', () => {
    const rule = destinationRule('shop/r', {
      host: 'api',
      exportTo: ['.'],
      trafficPolicy: { loadBalancer: { simple: 'RANDOM' } },
      subsets: [
        { name: 'v1', labels: { version: 'v1' }, trafficPolicy: { tls: { mode: 'DISABLE' } } },
        { name: 'all' },
      ],
    });
    expect(policyOf(build(...served, of(rule)), 'shop/r')).toEqual({
      object: { kind: 'DestinationRule', namespace: 'shop', name: 'r' },
      key: 'DestinationRule/shop/r',
      createdAt: Date.parse('2026-01-01T00:00:00Z'),
      host: HOST,
      visibility: ['shop'],
      clients: {},
      policy: { loadBalancer: { simple: 'RANDOM' } },
      subsets: [
        { name: 'v1', labels: { version: 'v1' }, policy: { tls: { mode: 'DISABLE' } } },
        { name: 'all', labels: {} },
      ],
    });
    expect(viewOf(build(...served, of(rule)), 'shop/r')).toMatchObject({ generation: 1, problems: [], notes: [] });
  });

  test.each<[string, string, Partial<DestinationRuleSpec>, unknown]>([
    ['all that see it', 'shop/r', {}, { visibility: '*', labels: {} }],
    ['those it is exported to', 'shop/r', { exportTo: ['web', '.'] }, { visibility: ['shop', 'web'], labels: {} }],
    ["its own, for another namespace's service", 'web/r', { host: HOST }, { visibility: ['web'], labels: {} }],
    ['all, from the root namespace', 'heddle-system/r', { host: HOST }, { visibility: '*', labels: {} }],
    [
      'its own with the labels it selects',
      'shop/r',
      { workloadSelector: { matchLabels: { app: 'a' } } },
      { visibility: ['shop'], labels: { app: 'a' } },
    ],
  ])('reaches clients: %s', (_, key, spec, reach) => {
    const snapshot = build(...served, of(destinationRule(key, { host: 'api', ...spec })));
    expect(viewOf(snapshot, key)?.reach).toEqual({ kind: 'clients', ...(reach as object) });
  });

  test('gets no status in a namespace that is not ours, and is in force all the same', () => {
    const snapshot = build(of(destinationRule('theirs/r', { host: HOST })));
    expect(viewOf(snapshot, 'theirs/r')).toBeUndefined();
    expect(policyOf(snapshot, 'theirs/r')).toBeDefined();
  });
});

describe('a DestinationRule that is invalid', () => {
  // Users write anything; the types hold for valid objects only.
  const garbage = (spec: unknown) =>
    of({ ...destinationRule('shop/r', { host: '' }), spec: spec as DestinationRuleSpec });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'spec.host'],
    ['a text', 'x', 'spec'],
    ['a host that is none', { host: 'a b' }, 'spec.host'],
    ['a number as its host', { host: 7 }, 'spec.host'],
    ['two subsets of a name', { host: 'api', subsets: [{ name: 'a' }, { name: 'a' }] }, 'spec.subsets[1].name'],
    ['a policy of the wrong shape', { host: 'api', trafficPolicy: [] }, 'spec.trafficPolicy'],
  ])('with %s is not in force, and says where', (_, spec, field) => {
    const snapshot = build(...served, garbage(spec));
    expect(policyOf(snapshot, 'shop/r')).toBeUndefined();
    const [problem] = viewOf(snapshot, 'shop/r')?.problems ?? [];
    expect(problem).toMatchObject({ condition: 'Accepted', reason: 'Invalid' });
    expect(problem?.message).toContain(field);
  });

  test('takes nothing from a younger one', () => {
    const young = destinationRule('shop/young', { host: 'api', subsets: [{ name: 'v1' }] }, YOUNG);
    const snapshot = build(...served, garbage({ host: 'api', subsets: [{ name: 'v1' }, { name: 'v1' }] }), of(young));
    expect(viewOf(snapshot, 'shop/young')?.problems).toEqual([]);
  });

  test('has a label called like a part of every object, and does no harm', () => {
    const labels = JSON.parse('{"constructor":"x"}');
    const snapshot = build(...served, of(destinationRule('shop/r', { host: 'api', subsets: [{ name: 'c', labels }] })));
    expect(viewOf(snapshot, 'shop/r')?.notes).toEqual([expect.stringContaining('"c"')]);
  });
});

describe('two DestinationRules of a namespace for one host', () => {
  const tls = { tls: { mode: 'DISABLE' } } as const;
  const old: DestinationRuleSpec = { host: 'api', trafficPolicy: tls, subsets: [{ name: 'v1' }] };
  const conflictOf = (key: string, spec: DestinationRuleSpec, older = of(destinationRule('shop/old', old))) =>
    viewOf(build(...served, older, of(destinationRule(key, spec, YOUNG))), key)?.problems;

  test('are in conflict where both say the same: the older wins, and the younger names it', () => {
    const young: DestinationRuleSpec = { host: HOST, trafficPolicy: tls, subsets: [{ name: 'v2' }, { name: 'v1' }] };
    expect(conflictOf('shop/young', young)).toEqual([
      {
        object: { kind: 'DestinationRule', namespace: 'shop', name: 'young' },
        condition: 'Conflicted',
        reason: 'OlderDestinationRule',
        message:
          `spec.trafficPolicy, spec.subsets[1] ("v1"): DestinationRule shop/old is older and sets the same for the host ${HOST}; what it ` +
          'says is in force. Write all of it in one rule.',
      },
    ]);
  });

  test.each<[string, string, DestinationRuleSpec]>([
    ['each says something else', 'shop/young', { host: 'api', subsets: [{ name: 'v2' }] }],
    ['they are of two namespaces', 'web/young', { ...old, host: HOST }],
    ['they are for two hosts', 'shop/young', { ...old, host: '*.shop.svc.cluster.local' }],
    ['they are for other clients', 'shop/young', { ...old, workloadSelector: { matchLabels: { app: 'a' } } }],
  ])('are in no conflict where %s', (_, key, spec) => {
    expect(conflictOf(key, spec)).toEqual([]);
  });

  test('with equal selectors are in conflict', () => {
    const selective = { ...old, workloadSelector: { matchLabels: { app: 'a' } } };
    expect(conflictOf('shop/young', selective, of(destinationRule('shop/old', selective)))).toHaveLength(1);
  });

  test('are in conflict no more when the older one goes', () => {
    const builder = new MeshBuilder(SETTINGS);
    const object = destinationRule('shop/old', old);
    const young = destinationRule('shop/young', old, YOUNG);
    builder.apply(OURS.map(change));
    builder.apply([
      { kind: 'DestinationRule', key: 'shop/young', object: young },
      { kind: 'DestinationRule', key: 'shop/old', object },
    ]);
    expect(viewOf(builder.snapshot, 'shop/young')?.problems).toHaveLength(1);
    const { delta } = builder.apply([{ kind: 'DestinationRule', key: 'shop/old', object: undefined }]);
    expect(viewOf(builder.snapshot, 'shop/young')?.problems).toEqual([]);
    expect([...delta.destinationPolicies]).toEqual(['DestinationRule/shop/old']);
  });
});

describe('a DestinationRule notes', () => {
  const notesOf = (spec: DestinationRuleSpec, ...objects: MeshObject[]) =>
    viewOf(build(...objects, of(destinationRule('shop/r', spec))), 'shop/r')?.notes;

  test('that no service has its host', () => {
    expect(notesOf({ host: 'api' })).toEqual([`spec.host: no service has the host ${HOST} at present.`]);
    expect(notesOf({ host: 'api' }, ...served)).toEqual([]);
    expect(notesOf({ host: '*.nowhere.example' })).toEqual([]);
  });

  test('nothing of the sort for the host of a ServiceEntry', () => {
    const entry = serviceEntry('web/e', {
      hosts: ['a.example'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    });
    expect(notesOf({ host: 'a.example' }, { kind: 'ServiceEntry', object: entry })).toEqual([]);
  });

  test('which subsets have no endpoint', () => {
    const subsets = ['v1', 'v2', 'v3'].map((name) => ({ name, labels: { version: name } }));
    expect(notesOf({ host: 'api', subsets: [...subsets, { name: 'all' }] }, ...served)).toEqual([
      `spec.subsets: no endpoint of ${HOST} has the labels of "v2", "v3" at present; requests for such a subset are answered with 503.`,
    ]);
  });

  test('that a subset has endpoints as soon as it has one', () => {
    const builder = new MeshBuilder(SETTINGS);
    const subsets = [{ name: 'v2', labels: { version: 'v2' } }];
    builder.apply([...OURS, ...served, of(destinationRule('shop/r', { host: 'api', subsets }))].map(change));
    expect(viewOf(builder.snapshot, 'shop/r')?.notes).toHaveLength(1);
    builder.apply([
      { kind: 'Pod', key: 'shop/api-v2', object: api('v2') },
      { kind: 'EndpointSlice', key: 'shop/api-1', object: slice('api', [api('v1'), api('v2')]) },
    ]);
    expect(viewOf(builder.snapshot, 'shop/r')?.notes).toEqual([]);
  });

  test('what is not in force', () => {
    const tunnel = { protocol: 'CONNECT', targetHost: 'a.example', targetPort: 80 };
    expect(notesOf({ host: 'api', trafficPolicy: { tunnel } }, ...served)).toEqual([
      expect.stringMatching(/^spec\.trafficPolicy\.tunnel is not in force/),
    ]);
  });
});

describe('a DestinationRule whose subset a VirtualService routes to', () => {
  const route = (host: string) => ({ http: [{ route: [{ destination: { host, subset: 'v1' } }] }] });
  const routes = virtualService('shop/routes', { hosts: ['api'], ...route('api') });
  const subsets = [{ name: 'v1', labels: { version: 'v1' } }];
  const reasons = ({ snapshot }: MeshBuilder) =>
    snapshot.policies.get('VirtualService/shop/routes')?.problems.map(({ reason }) => reason);

  test.each([
    ['the host itself', 'api'],
    ['a wildcard', '*.shop.svc.cluster.local'],
    ['a wildcard within a name', '*pi.shop.svc.cluster.local'],
    ['all hosts', '*'],
  ])('is missed when it goes, and no more when it comes: it is for %s', (_, host) => {
    const builder = new MeshBuilder(SETTINGS);
    builder.apply([...OURS, ...served, { kind: 'VirtualService' as const, object: routes }].map(change));
    expect(reasons(builder)).toEqual(['SubsetNotFound']);
    builder.apply([change(of(destinationRule('shop/r', { host, subsets })))]);
    expect(reasons(builder)).toEqual([]);
    builder.apply([change(of(destinationRule('shop/r', { host, subsets: [{ name: 'v2' }] })))]);
    expect(reasons(builder)).toEqual(['SubsetNotFound']);
    builder.apply([change(of(destinationRule('shop/r', { host, subsets })))]);
    builder.apply([{ kind: 'DestinationRule', key: 'shop/r', object: undefined }]);
    expect(reasons(builder)).toEqual(['SubsetNotFound']);
  });
});
