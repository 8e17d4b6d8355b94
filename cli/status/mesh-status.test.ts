import { describe, expect, test } from '@jest/globals';
import type { ControlPlaneView, ProxyView } from '../../api/view/control-plane-view.ts';
import { formatMesh, isWell, type MeshStatus, problemsOf, whyOf } from './mesh-status.ts';

const AT = Date.parse('2026-11-29T14:00:00Z');
const proxy = (pod: string, more: Partial<ProxyView> = {}): ProxyView => ({
  ...{ namespace: 'shop', pod, uid: pod, workload: 'ui', node: 'n1', state: 'synced', replica: 'operator-1' },
  ...{ connectedSince: AT - 90_000, types: {}, rejections: [], identity: 'spiffe://a', onDemand: false },
  ...more,
});
const CONTROL_PLANE: ControlPlaneView = {
  version: '0.1.0',
  trustDomain: 'cluster.local',
  replicas: [{ name: 'operator-1', leader: true, heard: true, streams: 2, problems: [] }],
  proxies: { total: 2, synced: 2, syncing: 0, stale: 0, rejected: 0, disconnected: 0, unknown: 0 },
  certificates: [
    {
      name: 'ROOT',
      subject: 'CN=root',
      notBefore: '2026-11-29T13:00:00Z',
      notAfter: '2036-11-26T14:00:00Z',
      serial: 'ab',
    },
  ],
};
const status = (proxies: readonly ProxyView[], more: Partial<ControlPlaneView> = {}): MeshStatus => ({
  controlPlane: { ...CONTROL_PLANE, ...more },
  proxies: { at: AT, complete: true, proxies },
});

test('a mesh that is well says so first', () => {
  const well = status([proxy('ui-1'), proxy('ui-2')]);
  expect(isWell(well)).toBe(true);
  const [first, ...rest] = formatMesh(well, { wide: true }).split('\n');
  expect(first).toBe('The mesh is well: 1 replica, 2 of 2 sidecars synced (heddle 0.1.0, cluster.local)');
  expect(rest.join('\n')).toMatch(/ROOT +CN=root +in 36\d\d days +ab\n/);
  expect(rest.join('\n')).toMatch(/shop +ui-1 +ui +SYNCED +operator-1 +1 min 30 s +n1 +\?/);
});

test('what is on its way is nothing amiss', () => {
  const busy = status([proxy('a'), proxy('b', { state: 'syncing', types: { clusters: { held: 9, stale: 1 } } })]);
  expect(isWell(busy)).toBe(true);
  const text = formatMesh(busy, { namespace: 'shop', wide: false });
  expect(text).toMatch(/^The mesh is well: 1 replica, 1 of 2 sidecars synced, 1 syncing /);
  expect(text).toMatch(/\nb +ui +SYNCING +1 of 9 clusters not the newest\na +ui +SYNCED$/);
});

describe('what is amiss', () => {
  test.each([
    [status([proxy('a', { state: 'rejected' })]), '1 sidecar is rejected'],
    [status([proxy('a', { state: 'stale' }), proxy('b', { state: 'stale' })]), '2 sidecars are stale'],
    [
      status([], { replicas: [{ name: 'o', leader: true, heard: false }] }),
      'replica o is not heard: what it knows is not shown',
    ],
    [status([], { replicas: [{ name: 'o', leader: true, heard: true, problems: ['no lease'] }] }), 'o: no lease'],
    [
      status([], { replicas: [{ name: 'o', leader: false, heard: true }] }),
      'no replica leads: statuses and canaries stand still',
    ],
    [
      status([], {
        certificates: [{ name: 'WEBHOOK', subject: '', notBefore: '', notAfter: '2026-11-29T15:00:00Z', serial: '' }],
      }),
      'certificate WEBHOOK ends 2026-11-29T15:00:00Z',
    ],
  ])('is told in a sentence (%#)', (mesh, sentence) => {
    expect(problemsOf(mesh)).toEqual([sentence]);
    expect(formatMesh(mesh, { wide: false })).toMatch(new RegExp(`^The mesh is not well: .*\n {2}- ${sentence}\n`));
  });

  test('stands before what is well', () => {
    const text = formatMesh(status([proxy('a'), proxy('z', { state: 'disconnected' })]), {
      namespace: 'shop',
      wide: false,
    });
    expect(text).toMatch(/POD +WORKLOAD +STATE +WHY\nz +ui +DISCONNECTED\na +ui +SYNCED$/);
  });
});

test('why a sidecar is not synced', () => {
  const rejections = [
    { type: 'listeners', name: 'outbound|80', message: 'no such filter' },
    { type: 'clusters', name: 'x', message: 'bad' },
  ];
  expect(whyOf(proxy('a', { rejections }))).toBe('refused listeners outbound|80: no such filter (and 1 more)');
  expect(whyOf(proxy('a', { types: { clusters: { held: 9, stale: 2 } } }))).toBe('2 of 9 clusters not the newest');
});
