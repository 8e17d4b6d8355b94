import { describe, expect, test } from '@jest/globals';
import type { PeerAuthentication, PeerAuthenticationSpec } from '../../api/peer-authentication.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from './mesh-object.ts';
import { peerAuthentication, SETTINGS, service, serviceEntry, workloadEntry } from './testing/objects.ts';

const toWeb: PeerAuthenticationSpec = { selector: { matchLabels: { app: 'web' } } };
const policy = (key: string, mode: 'DISABLE' | 'STRICT', spec: PeerAuthenticationSpec = {}) =>
  peerAuthentication(key, { mtls: { mode }, ...spec });
const ours = (object: PeerAuthentication): MeshObject => ({ kind: 'PeerAuthentication', object });
// Kind and object stay together, which a spread over a union of types does not show.
const change = (entry: MeshObject) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange;

describe('what callers are told of a workload that is no pod, under PeerAuthentication', () => {
  const vm = { address: '192.0.2.1', labels: { app: 'web' }, serviceAccount: 'vm' };
  const HOSTS = {
    service: 'web.shop.svc.cluster.local',
    selecting: 'shop/vm.example.com',
    listing: 'shop/list.example.com',
  };
  const entry = {
    location: 'MESH_INTERNAL' as const,
    resolution: 'STATIC' as const,
    ports: [{ number: 80, name: 'http', targetPort: 8080 }],
  };
  const objects: MeshObject[] = [
    { kind: 'Service', object: service('web', { app: 'web' }) },
    { kind: 'WorkloadEntry', object: workloadEntry('shop/vm', vm) },
    {
      kind: 'ServiceEntry',
      object: serviceEntry('shop/a', {
        ...entry,
        hosts: ['vm.example.com'],
        workloadSelector: { labels: { app: 'web' } },
      }),
    },
    {
      kind: 'ServiceEntry',
      object: serviceEntry('shop/b', { ...entry, hosts: ['list.example.com'], endpoints: [vm] }),
    },
  ];
  const told = ({ endpoints }: ReturnType<typeof buildSnapshot>) =>
    Object.values(HOSTS).map((host) =>
      endpoints.get(host)?.map(({ mtls, spiffeId }) => mtls && spiffeId !== undefined),
    );

  test.each<[string, PeerAuthentication | undefined, boolean]>([
    ['mTLS by default', undefined, true],
    ['mTLS under STRICT', policy('shop/n', 'STRICT'), true],
    ['plaintext under DISABLE for the mesh', policy('heddle-system/m', 'DISABLE'), false],
    ['plaintext under DISABLE for the namespace', policy('shop/n', 'DISABLE'), false],
    ['plaintext under DISABLE for its labels', policy('shop/w', 'DISABLE', toWeb), false],
    [
      'mTLS under DISABLE for other labels',
      policy('shop/w', 'DISABLE', { selector: { matchLabels: { app: 'x' } } }),
      true,
    ],
    ['mTLS under DISABLE for another namespace', policy('other/n', 'DISABLE'), true],
    [
      'plaintext on its port that is DISABLE',
      policy('shop/w', 'STRICT', { ...toWeb, portLevelMtls: { 8080: { mode: 'DISABLE' } } }),
      false,
    ],
    [
      'mTLS where the port of the Service has the number, and its own not',
      policy('shop/w', 'STRICT', { ...toWeb, portLevelMtls: { 80: { mode: 'DISABLE' } } }),
      true,
    ],
  ])('%s, whether the policy comes first or last', (_, own, mtls) => {
    const policies = own === undefined ? [] : [own];
    const wanted = [[mtls], [mtls], [mtls]];
    expect(told(buildSnapshot(SETTINGS, [...policies.map(ours), ...objects]))).toEqual(wanted);
    const builder = new MeshBuilder(SETTINGS);
    builder.apply(objects.map(change));
    builder.apply(policies.map(ours).map(change));
    expect(told(builder.snapshot)).toEqual(wanted);
  });
});
