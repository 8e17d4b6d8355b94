import { describe, expect, test } from '@jest/globals';
import type { Sidecar, SidecarSpec } from '../../api/sidecar.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import type { MeshSnapshot } from './snapshot.ts';
import { pod, SETTINGS, service, sidecar } from './testing/objects.ts';

const YOUNG = '2026-02-02T00:00:00Z';
const SEES_OWN: SidecarSpec = { egress: [{ hosts: ['./*'] }] };
const of = (object: Sidecar): MeshObject => ({ kind: 'Sidecar', object });
const web: MeshObject = { kind: 'Pod', object: pod('web', { labels: { app: 'web', tier: 'x' } }) };
const build = (...objects: MeshObject[]) => buildSnapshot(SETTINGS, [web, ...objects]);
const scopeOf = (snapshot: MeshSnapshot, key: string) => snapshot.sidecars.get(`Sidecar/${key}`);
const viewOf = (snapshot: MeshSnapshot, key: string) => snapshot.policies.get(`Sidecar/${key}`);
const workloadOf = (snapshot: MeshSnapshot) => snapshot.workloads.get('uid-web');
// Kind and object stay together, which a spread over a union of types does not show.
const change = (one: MeshObject) => ({ ...one, key: keyOf(one.object.metadata) }) as MeshChange;
const selecting = (labels: Record<string, string>): SidecarSpec => ({ ...SEES_OWN, workloadSelector: { labels } });

describe('the Sidecar of a workload', () => {
  const selective = sidecar('shop/selective', selecting({ app: 'web' }), YOUNG);
  const blanket = sidecar('shop/blanket', SEES_OWN);
  const mesh = sidecar('heddle-system/mesh', SEES_OWN);

  test.each<[string, Sidecar[], string | undefined]>([
    ['is none without any', [], undefined],
    ['is one that selects it, before all others', [mesh, blanket, selective], 'shop/selective'],
    ["is else its namespace's", [mesh, blanket], 'shop/blanket'],
    ["is else the root namespace's", [mesh], 'heddle-system/mesh'],
    ['is not one that selects others', [sidecar('shop/s', selecting({ app: 'x' }))], undefined],
    ['is not one that selects more than it has', [sidecar('shop/s', selecting({ app: 'web', x: 'y' }))], undefined],
    ['is not one of another namespace', [sidecar('other/s', SEES_OWN)], undefined],
    [
      'is not one with a selector in the root namespace',
      [sidecar('heddle-system/s', selecting({ app: 'web' }))],
      undefined,
    ],
    ['is the oldest that selects it', [selective, sidecar('shop/z', selecting({ tier: 'x' }))], 'shop/z'],
    ["is the oldest of its namespace's", [sidecar('shop/a', SEES_OWN, YOUNG), blanket], 'shop/blanket'],
    ['is not one that is invalid', [sidecar('shop/a', {}), mesh], 'heddle-system/mesh'],
  ])('%s', (_, sidecars, key) => {
    expect(workloadOf(build(...sidecars.map(of)))?.sidecar).toBe(key && `Sidecar/${key}`);
  });

  test('follows what comes and goes', () => {
    const builder = new MeshBuilder(SETTINGS);
    builder.apply([web, of(mesh), of(blanket), of(selective)].map(change));
    const without = (key: string) => {
      builder.apply([{ kind: 'Sidecar', key, object: undefined }]);
      return workloadOf(builder.snapshot)?.sidecar;
    };
    expect(workloadOf(builder.snapshot)?.sidecar).toBe('Sidecar/shop/selective');
    expect(without('shop/selective')).toBe('Sidecar/shop/blanket');
    expect(without('shop/blanket')).toBe('Sidecar/heddle-system/mesh');
    expect(without('heddle-system/mesh')).toBeUndefined();
  });
});

describe('the egress of a Sidecar', () => {
  test.each<[string, string[], { namespace: string; host: string }[]]>([
    ['its own namespace', ['./*'], [{ namespace: 'shop', host: '*' }]],
    ['all namespaces', ['*/*'], [{ namespace: '*', host: '*' }]],
    [
      'another namespace',
      ['other/*.other.svc.cluster.local'],
      [{ namespace: 'other', host: '*.other.svc.cluster.local' }],
    ],
    [
      'a host, in lower case and without a final dot',
      ['*/API.example.com.'],
      [{ namespace: '*', host: 'api.example.com' }],
    ],
    ['nothing', ['~/*'], []],
  ])('imports %s', (_, hosts, imported) => {
    const snapshot = build(of(sidecar('shop/s', { egress: [{ hosts }] })));
    expect(scopeOf(snapshot, 'shop/s')?.egress).toEqual([{ hosts: imported }]);
  });

  test("means each client's own namespace in a Sidecar for the whole mesh, and its own in one with a selector", () => {
    const spec = { egress: [{ hosts: ['./*', 'heddle-system/*'] }] };
    const snapshot = build(
      of(sidecar('heddle-system/mesh', spec)),
      of(sidecar('heddle-system/few', { ...spec, workloadSelector: { labels: { app: 'x' } } })),
    );
    const namespaces = (key: string) => scopeOf(snapshot, key)?.egress[0]?.hosts.map(({ namespace }) => namespace);
    expect(namespaces('heddle-system/mesh')).toEqual(['.', 'heddle-system']);
    expect(namespaces('heddle-system/few')).toEqual(['heddle-system', 'heddle-system']);
  });

  test.each<[string, Partial<NonNullable<SidecarSpec['egress']>[number]>, string | undefined, string | undefined]>([
    ['a port that is redirected to', {}, undefined, undefined],
    ['loopback, for capture mode NONE', { captureMode: 'NONE' }, '127.0.0.1', undefined],
    ['the address, for capture mode NONE', { captureMode: 'NONE', bind: '10.0.0.1' }, '10.0.0.1', undefined],
    ['a loopback address', { bind: '127.0.0.2' }, '127.0.0.2', undefined],
    ['no address of which connections are redirected', { bind: '10.0.0.1' }, undefined, 'spec.egress[0].bind'],
    ['none with IPTABLES', { bind: '127.0.0.1', captureMode: 'IPTABLES' }, undefined, 'spec.egress[0].bind'],
  ])('listens on %s', (_, options, bind, noted) => {
    const listener = { port: { number: 9306, protocol: 'MySQL', name: 'db' }, hosts: ['*/*'], ...options };
    const snapshot = build(of(sidecar('shop/s', { egress: [listener] })));
    expect(scopeOf(snapshot, 'shop/s')?.egress).toEqual([
      {
        port: { number: 9306, protocol: 'tcp', name: 'db' },
        ...(bind === undefined ? {} : { bind }),
        hosts: [{ namespace: '*', host: '*' }],
      },
    ]);
    expect(viewOf(snapshot, 'shop/s')?.notes).toEqual(noted === undefined ? [] : [expect.stringContaining(noted)]);
  });

  test.each<[string, SidecarSpec['outboundTrafficPolicy'], string | undefined]>([
    ['nothing', undefined, undefined],
    ['a mode', { mode: 'ALLOW_ANY' }, 'ALLOW_ANY'],
    ['a policy without a mode', {}, 'REGISTRY_ONLY'],
  ])('has the policy for unknown hosts that it says: %s', (_, outboundTrafficPolicy, policy) => {
    const spec = { ...SEES_OWN, ...(outboundTrafficPolicy === undefined ? {} : { outboundTrafficPolicy }) };
    expect(scopeOf(build(of(sidecar('shop/s', spec))), 'shop/s')?.outboundPolicy).toBe(policy);
  });
});

describe('the ingress of a Sidecar', () => {
  const api: MeshObject = { kind: 'Service', object: service('api', { app: 'web' }) };
  const port = { number: 8080, protocol: 'HTTP', name: 'http' };
  const inboundOf = (spec: SidecarSpec) => workloadOf(build(api, of(sidecar('shop/s', spec))))?.inbound;
  const served = { port: 8080, protocol: 'http', service: 'api.shop.svc.cluster.local' };
  const pool = { tcp: { maxConnections: 3 } };

  test('is what Services declare, where it lists no listener', () => {
    expect(inboundOf(SEES_OWN)).toEqual([served]);
  });

  test('takes the place of all that Services declare', () => {
    expect(
      inboundOf({ ingress: [{ port: { ...port, number: 9000 } }, { port: { number: 70, protocol: 'UDP' } }] }),
    ).toEqual([{ port: 9000, protocol: 'http' }]);
  });

  test.each([
    ['without an endpoint, the port itself', undefined, undefined],
    ['loopback', '127.0.0.1:9080', { address: '127.0.0.1', port: 9080 }],
    ['loopback of IPv6', '[::1]:9080', { address: '::1', port: 9080 }],
    ['the address the caller used', '0.0.0.0:9080', { address: '0.0.0.0', port: 9080 }],
    ['the address the caller used, in IPv6', '[::]:9080', { address: '0.0.0.0', port: 9080 }],
    ['the same port at the same address', '0.0.0.0:8080', undefined],
    ['no Unix domain socket', 'unix:///var/run/app.sock', undefined],
  ])('leads to %s', (_, defaultEndpoint, target) => {
    const ingress = [{ port, ...(defaultEndpoint === undefined ? {} : { defaultEndpoint }) }];
    expect(inboundOf({ ingress })).toEqual([{ ...served, ...(target === undefined ? {} : { target }) }]);
  });

  test('has the protocol it says, and is sniffed where it says none', () => {
    const ingress = [{ port: { ...port, protocol: 'GRPC-Web' } }, { port: { number: 9000, name: 'http' } }];
    expect(inboundOf({ ingress })?.map(({ protocol }) => protocol)).toEqual(['grpc', 'auto']);
  });

  test('has limits of its own, else those of the Sidecar', () => {
    const other = { http: { http2MaxRequests: 1 } };
    expect(inboundOf({ inboundConnectionPool: pool })).toEqual([{ ...served, connectionPool: pool }]);
    const ingress = [{ port, connectionPool: other }, { port: { number: 9000 } }];
    expect(inboundOf({ ingress, inboundConnectionPool: pool })?.map(({ connectionPool }) => connectionPool)).toEqual([
      other,
      pool,
    ]);
  });

  test('says which ways of taking connections are not in force', () => {
    const ingress = [
      { port, captureMode: 'NONE' as const },
      { port: { ...port, number: 9000 }, bind: '10.0.0.1' },
      { port: { ...port, number: 9001 }, bind: '0.0.0.0' },
      { port: { ...port, number: 9002 }, defaultEndpoint: 'unix:///app.sock' },
    ];
    const notes = viewOf(build(of(sidecar('shop/s', { ingress }))), 'shop/s')?.notes.map(
      (note) => note.split(' ', 1)[0],
    );
    expect(notes).toEqual(['spec.ingress[3].defaultEndpoint', 'spec.ingress[0].captureMode', 'spec.ingress[1].bind']);
  });
});

describe('the status of a Sidecar', () => {
  test('names the older one of the namespace', () => {
    const snapshot = build(of(sidecar('shop/old', SEES_OWN)), of(sidecar('shop/young', SEES_OWN, YOUNG)));
    expect(viewOf(snapshot, 'shop/old')?.problems).toEqual([]);
    expect(viewOf(snapshot, 'shop/young')?.problems).toEqual([
      {
        object: { kind: 'Sidecar', namespace: 'shop', name: 'young' },
        condition: 'Conflicted',
        reason: 'OlderSidecar',
        message:
          'Sidecar shop/old is older and speaks for the whole namespace; this one is ignored. Delete one of the two, or give this ' +
          'one a workloadSelector.',
      },
    ]);
    expect(viewOf(snapshot, 'shop/old')?.reach).toEqual({ kind: 'clients', visibility: ['shop'], labels: {} });
    expect(viewOf(snapshot, 'shop/young')?.reach.kind).toBe('workloads');
  });

  test('names no older one once that is gone, or selects pods', () => {
    const builder = new MeshBuilder(SETTINGS);
    const sidecars = [sidecar('shop/old', SEES_OWN), sidecar('shop/young', SEES_OWN, YOUNG)];
    const namesOne = () => viewOf(builder.snapshot, 'shop/young')?.problems.length;
    const put = (object: Sidecar | undefined) => builder.apply([{ kind: 'Sidecar', key: 'shop/old', object }]);
    builder.apply([web, ...sidecars.map(of)].map(change));
    expect(namesOne()).toBe(1);
    put(undefined);
    expect(namesOne()).toBe(0);
    put(sidecars[0]);
    expect(namesOne()).toBe(1);
    put(sidecar('shop/old', selecting({ app: 'web' })));
    expect(namesOne()).toBe(0);
  });

  test('names the older one that selects the same pods, as long as there are any', () => {
    const builder = new MeshBuilder(SETTINGS);
    const sidecars = [
      sidecar('shop/old', selecting({ tier: 'x' })),
      sidecar('shop/young', selecting({ app: 'web' }), YOUNG),
    ];
    builder.apply([web, ...sidecars.map(of)].map(change));
    expect(viewOf(builder.snapshot, 'shop/young')?.problems).toEqual([
      expect.objectContaining({
        condition: 'Conflicted',
        reason: 'OlderSidecar',
        message: 'spec.workloadSelector: Sidecar shop/old is older and selects 1 pod of the same; it wins there.',
      }),
    ]);
    builder.apply([
      { kind: 'Pod', key: 'shop/web', object: undefined },
      { ...change(web), key: 'shop/web2' },
    ]);
    builder.apply([{ kind: 'Pod', key: 'shop/web2', object: pod('web2', { labels: { app: 'web' } }) }]);
    expect(viewOf(builder.snapshot, 'shop/young')?.problems).toEqual([]);
    expect(viewOf(builder.snapshot, 'shop/old')?.notes).toEqual([expect.stringContaining('no pod of namespace shop')]);
  });

  test('of one for the whole mesh is about all of it', () => {
    const reach = { kind: 'clients', visibility: '*', labels: {} };
    const enabled = { metadata: { name: 'heddle-system' } };
    const snapshot = build({ kind: 'Namespace', object: enabled }, of(sidecar('heddle-system/mesh', SEES_OWN)));
    expect(viewOf(snapshot, 'heddle-system/mesh')?.reach).toEqual(reach);
  });

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'spec'],
    ['a host without a namespace', { egress: [{ hosts: ['api'] }] }, 'spec.egress[0].hosts[0]'],
    ['a list for a text', { egress: [{ hosts: [['./*']] }] }, 'spec.egress[0].hosts[0]'],
    ['an endpoint elsewhere', { ingress: [{ port: { number: 1 }, defaultEndpoint: '10.0.0.1:1' }] }, 'defaultEndpoint'],
  ])('says where it is invalid, and it is not in force: %s', (_, spec, field) => {
    // Users write anything; the types hold for valid objects only.
    const snapshot = build(of({ ...sidecar('shop/s', {}), spec: spec as SidecarSpec }));
    expect(scopeOf(snapshot, 'shop/s')).toBeUndefined();
    expect(viewOf(snapshot, 'shop/s')?.problems).toEqual([
      expect.objectContaining({ condition: 'Accepted', reason: 'Invalid', message: expect.stringContaining(field) }),
    ]);
  });

  test('is none in a namespace that is not ours', () => {
    const snapshot = build(of(sidecar('theirs/s', SEES_OWN)));
    expect(viewOf(snapshot, 'theirs/s')).toBeUndefined();
    expect(scopeOf(snapshot, 'theirs/s')).toBeDefined();
  });
});
