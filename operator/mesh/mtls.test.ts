import { describe, expect, test } from '@jest/globals';
import { Set as PersistentSet } from 'immutable';
import type { PeerAuthentication, PeerAuthenticationSpec } from '../../api/peer-authentication.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import type { PolicyView } from './snapshot.ts';
import { peerAuthentication, pod, SETTINGS, service, slice } from './testing/objects.ts';

const web = pod('web', { labels: { app: 'web' } });

function snapshotOf(policies: PeerAuthentication[], pods = [web], extra: MeshObject[] = []) {
  return buildSnapshot(SETTINGS, [
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    ...policies.map((object): MeshObject => ({ kind: 'PeerAuthentication', object })),
    ...extra,
  ]);
}

const workloadsOf = ({ reach }: PolicyView) => (reach.kind === 'workloads' ? reach.workloads : PersistentSet<string>());
const policy = (key: string, mode?: 'UNSET' | 'DISABLE' | 'PERMISSIVE' | 'STRICT', spec: PeerAuthenticationSpec = {}) =>
  peerAuthentication(key, { ...(mode === undefined ? {} : { mtls: { mode } }), ...spec });
const toWeb: PeerAuthenticationSpec = { selector: { matchLabels: { app: 'web' } } };

describe('PeerAuthentication as it applies to a workload', () => {
  test.each<[string, PeerAuthentication[], string]>([
    ['is PERMISSIVE without any', [], 'PERMISSIVE'],
    ["is the mesh's", [policy('heddle-system/m', 'STRICT')], 'STRICT'],
    [
      "is the namespace's over the mesh's",
      [policy('heddle-system/m', 'STRICT'), policy('shop/n', 'DISABLE')],
      'DISABLE',
    ],
    [
      "is the workload's over the namespace's",
      [policy('shop/n', 'STRICT'), policy('shop/w', 'DISABLE', toWeb)],
      'DISABLE',
    ],
    ['inherits UNSET', [policy('heddle-system/m', 'STRICT'), policy('shop/n', 'UNSET')], 'STRICT'],
    ['inherits where mtls is absent', [policy('shop/n', 'STRICT'), policy('shop/w', undefined, toWeb)], 'STRICT'],
    ['treats UNSET for the mesh as PERMISSIVE', [policy('heddle-system/m', 'UNSET')], 'PERMISSIVE'],
    ['leaves out the namespaces of others', [policy('other/n', 'STRICT')], 'PERMISSIVE'],
    [
      'leaves out a selector that does not match',
      [policy('shop/w', 'STRICT', { selector: { matchLabels: { app: 'x' } } })],
      'PERMISSIVE',
    ],
    ['leaves out a selector in the root namespace', [policy('heddle-system/m', 'STRICT', toWeb)], 'PERMISSIVE'],
    ['takes an empty selector for none', [policy('shop/n', 'STRICT', { selector: {} })], 'STRICT'],
  ])('%s', (_, policies, mode) => {
    expect(snapshotOf(policies).workloads.get('uid-web')?.mtls.mode).toBe(mode);
  });

  test('has modes per port, of which UNSET and equal ones are left to the mode', () => {
    const ports = {
      8080: { mode: 'DISABLE' as const },
      9090: { mode: 'UNSET' as const },
      7070: { mode: 'STRICT' as const },
    };
    const snapshot = snapshotOf([policy('shop/w', 'STRICT', { ...toWeb, portLevelMtls: ports })]);
    expect(snapshot.workloads.get('uid-web')?.mtls).toMatchObject({ mode: 'STRICT', ports: { 8080: 'DISABLE' } });
  });

  test('names the policies that were consulted, the narrowest first, and no wider one that did not count', () => {
    const policies = [
      policy('heddle-system/m', 'STRICT'),
      policy('shop/n', 'STRICT'),
      policy('shop/w', 'UNSET', toWeb),
    ];
    const snapshot = snapshotOf(policies);
    expect(snapshot.workloads.get('uid-web')?.mtls.policies.map(({ name }) => name)).toEqual(['w', 'n']);
    const mesh = snapshot.policies.get('PeerAuthentication/heddle-system/m');
    expect(mesh && [workloadsOf(mesh).size, mesh.selected]).toEqual([0, 1]);
  });
});

describe('the view of a PeerAuthentication', () => {
  const problemsOf = (policies: PeerAuthentication[], key: string) =>
    snapshotOf(policies).policies.get(`PeerAuthentication/${key}`)?.problems;

  test('counts the injected workloads', () => {
    const outside = pod('outside', { injected: false });
    const view = snapshotOf([policy('shop/n', 'STRICT')], [web, outside]).policies.get('PeerAuthentication/shop/n');
    expect(view).toMatchObject({ generation: 1, selected: 1, problems: [] });
    expect(view && workloadsOf(view).toArray()).toEqual(['uid-web']);
  });

  test.each([
    ['for the mesh', 'heddle-system', {}],
    ['for a namespace', 'shop', {}],
    ['for a workload', 'shop', toWeb],
  ])('of two %s the younger is Conflicted and names the winner, which names it', (_, namespace, spec) => {
    const older = peerAuthentication(`${namespace}/z`, { ...spec, mtls: { mode: 'STRICT' } }, '2026-01-01T00:00:00Z');
    const younger = peerAuthentication(
      `${namespace}/a`,
      { ...spec, mtls: { mode: 'DISABLE' } },
      '2026-01-02T00:00:00Z',
    );
    const snapshot = snapshotOf([younger, older]);
    expect(snapshot.workloads.get('uid-web')?.mtls.mode).toBe('STRICT');
    expect(snapshot.policies.get(`PeerAuthentication/${namespace}/z`)).toMatchObject({
      problems: [],
      notes: [expect.stringMatching(new RegExp(`: ${namespace}/a\\.$`))],
    });
    expect(snapshot.policies.get(`PeerAuthentication/${namespace}/a`)?.problems).toMatchObject([
      { condition: 'Conflicted', reason: 'OlderPolicy', message: expect.stringContaining(`${namespace}/z`) },
    ]);
  });

  test('of two of the same age the first by name wins', () => {
    expect(problemsOf([policy('shop/b', 'STRICT'), policy('shop/a', 'STRICT')], 'shop/a')).toEqual([]);
    expect(problemsOf([policy('shop/b', 'STRICT'), policy('shop/a', 'STRICT')], 'shop/b')).toHaveLength(1);
  });

  test('says that portLevelMtls needs a selector, and applies the rest', () => {
    const wrong = policy('shop/n', 'STRICT', { portLevelMtls: { 8080: { mode: 'DISABLE' } } });
    expect(problemsOf([wrong], 'shop/n')).toMatchObject([
      { condition: 'Accepted', reason: 'SelectorRequired', message: expect.stringContaining('spec.portLevelMtls') },
    ]);
    expect(snapshotOf([wrong]).workloads.get('uid-web')?.mtls).toMatchObject({ mode: 'STRICT', ports: {} });
  });

  test('says that a selector in the root namespace applies to nothing', () => {
    expect(problemsOf([policy('heddle-system/m', 'STRICT', toWeb)], 'heddle-system/m')).toMatchObject([
      { condition: 'Accepted', reason: 'SelectorInRootNamespace', message: expect.stringContaining('spec.selector') },
    ]);
  });

  test('names a port that is none', () => {
    const wrong = policy('shop/w', 'STRICT', { ...toWeb, portLevelMtls: { 99999: { mode: 'DISABLE' } } });
    expect(problemsOf([wrong], 'shop/w')).toMatchObject([
      { reason: 'Invalid', message: expect.stringContaining('spec.portLevelMtls') },
    ]);
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['heddle.dev/injection=enabled', { 'heddle.dev/injection': 'enabled' }, true],
    ['istio.io/rev=heddle', { 'istio.io/rev': 'heddle' }, true],
    ['istio-injection=enabled, which may be for another control plane', { 'istio-injection': 'enabled' }, false],
    ['istio.io/rev=default', { 'istio.io/rev': 'default' }, false],
    ['injection refused', { 'heddle.dev/injection': 'disabled', 'istio-injection': 'enabled' }, false],
    ['no label', {}, false],
  ])('is there in a namespace without injected pods: %s', (_, labels, ours) => {
    const namespace: MeshObject = { kind: 'Namespace', object: { metadata: { name: 'empty', labels } } };
    const { policies } = snapshotOf([policy('empty/n', 'STRICT')], [], [namespace]);
    expect(policies.has('PeerAuthentication/empty/n')).toBe(ours);
  });
});

describe('a PeerAuthentication and ports that are not the sidecar’s', () => {
  const withPorts = (name: string, ports: string) => {
    const annotations = { ...web.metadata?.annotations, [`traffic.sidecar.istio.io/${name}`]: ports };
    return { ...web, metadata: { ...web.metadata, annotations } };
  };
  const notesOf = (own: PeerAuthentication, pods = [web], others: PeerAuthentication[] = []) =>
    snapshotOf([own, ...others], pods).policies.get(`PeerAuthentication/${own.metadata.namespace}/${own.metadata.name}`)
      ?.notes;
  const excluding = withPorts('excludeInboundPorts', '9090,7070');

  test.each<[string, PeerAuthentication, typeof web, string]>([
    ['the namespace', policy('shop/n', 'STRICT'), excluding, 'pod shop/web serves not port 9090, 7070'],
    ['the mesh', policy('heddle-system/m', 'STRICT'), excluding, 'pod shop/web serves not port 9090, 7070'],
    [
      'one of the ports',
      policy('shop/w', 'DISABLE', { ...toWeb, portLevelMtls: { 9090: { mode: 'STRICT' } } }),
      excluding,
      'pod shop/web serves not port 9090, as',
    ],
    [
      'ports that are not included',
      policy('shop/n', 'STRICT'),
      withPorts('includeInboundPorts', '80'),
      'no port but 80, as its annotation traffic.sidecar.istio.io/includeInboundPorts',
    ],
  ])('says that STRICT for %s is not in force there', (_, own, one, expected) => {
    expect(notesOf(own, [one])).toEqual([expect.stringContaining(expected)]);
  });

  test('says nothing where plaintext is taken anyway, or by a policy that decides nothing there', () => {
    expect(notesOf(policy('shop/n', 'STRICT'))).toEqual([]);
    expect(notesOf(policy('shop/n', 'PERMISSIVE'), [excluding])).toEqual([]);
    expect(notesOf(policy('shop/n', 'STRICT'), [excluding], [policy('shop/w', 'DISABLE', toWeb)])).toEqual([]);
  });
});

describe('what callers are told of a server under PeerAuthentication', () => {
  const ports = { http: 8080, grpc: 9090 };
  const told = (policies: PeerAuthentication[], annotations: Record<string, string> = {}) => {
    const annotated = {
      ...web,
      metadata: { ...web.metadata, annotations: { ...web.metadata?.annotations, ...annotations } },
    };
    const extra: MeshObject[] = [
      { kind: 'Service', object: service('web', { app: 'web' }) },
      { kind: 'EndpointSlice', object: slice('web', [annotated], ports) },
    ];
    const [endpoint] = snapshotOf(policies, [annotated], extra).endpoints.get('web.shop.svc.cluster.local') ?? [];
    return {
      mtls: endpoint?.mtls,
      plaintextPorts: endpoint?.plaintextPorts,
      identified: endpoint?.spiffeId !== undefined,
    };
  };

  test('mTLS by default', () => {
    expect(told([])).toEqual({ mtls: true, plaintextPorts: [], identified: true });
  });
  test('plaintext under DISABLE', () => {
    expect(told([policy('shop/n', 'DISABLE')])).toEqual({ mtls: false, plaintextPorts: [], identified: false });
  });
  test('plaintext on the ports that are DISABLE', () => {
    const one = policy('shop/w', 'STRICT', { ...toWeb, portLevelMtls: { 9090: { mode: 'DISABLE' } } });
    expect(told([one])).toEqual({ mtls: true, plaintextPorts: [9090], identified: true });
  });
  test('plaintext on ports that are not the sidecar’s, also under STRICT', () => {
    const annotations = (name: string, ports: string) => ({ [`traffic.sidecar.istio.io/${name}`]: ports });
    const strict = [policy('shop/n', 'STRICT')];
    expect(told(strict, annotations('excludeInboundPorts', '9090'))).toMatchObject({
      mtls: true,
      plaintextPorts: [9090],
    });
    expect(told(strict, annotations('includeInboundPorts', '9090'))).toMatchObject({
      mtls: true,
      plaintextPorts: [8080],
    });
    expect(told(strict, annotations('includeInboundPorts', ''))).toMatchObject({ mtls: false, identified: false });
  });
  test('mTLS on the one port that is not DISABLE', () => {
    const one = policy('shop/w', 'DISABLE', { ...toWeb, portLevelMtls: { 9090: { mode: 'STRICT' } } });
    expect(told([one])).toEqual({ mtls: true, plaintextPorts: [8080], identified: true });
  });
});
