import { describe, expect, test } from '@jest/globals';
import type { V1EndpointSlice } from '@kubernetes/client-node';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import { type MeshObject, meshObject } from './mesh-object.ts';
import { pod, SETTINGS, service, slice } from './testing/objects.ts';

const HOST = 'web.shop.svc.cluster.local';
const web = pod('web', { labels: { app: 'web' }, deployment: 'web', revision: 'r1' });
const webService = service('web', { app: 'web' });
const meta = (name: string) => ({ name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } });

function endpointsOf(objects: MeshObject[]) {
  return buildSnapshot(SETTINGS, [{ kind: 'Service', object: webService }, ...objects]).endpoints.get(HOST);
}
const podObject: MeshObject = { kind: 'Pod', object: web };
const sliceObject = (object: V1EndpointSlice): MeshObject => ({ kind: 'EndpointSlice', object });

describe('endpoints of a Service', () => {
  test('carry identity, revision and locality of their pods', () => {
    const labels = {
      'topology.kubernetes.io/region': 'eu',
      'topology.kubernetes.io/zone': 'eu-1',
      'topology.istio.io/subzone': 'r7',
    };
    const node: MeshObject = { kind: 'Node', object: { metadata: { name: 'node-1', labels } } };
    expect(endpointsOf([podObject, node, sliceObject(slice('web', [web]))])).toEqual([
      {
        address: '10.0.0.1',
        labels: web.metadata?.labels,
        weight: 1,
        ports: { http: 8080 },
        workload: 'uid-web',
        podName: 'web',
        namespace: 'shop',
        spiffeId: 'spiffe://cluster.local/ns/shop/sa/web',
        mtls: true,
        plaintextPorts: [],
        revision: 'r1',
        gated: false,
        locality: { region: 'eu', zone: 'eu-1', subzone: 'r7' },
      },
    ]);
  });

  test('speak no mTLS when their pod is outside the mesh', () => {
    const outside = pod('web', { injected: false });
    const [endpoint] = endpointsOf([{ kind: 'Pod', object: outside }, sliceObject(slice('web', [outside]))]) ?? [];
    expect(endpoint).toMatchObject({ mtls: false, workload: 'uid-web' });
    expect(endpoint).not.toHaveProperty('spiffeId');
  });

  test('wait for the pod that a slice names, for without it the identity is unknown', () => {
    const builder = new MeshBuilder(SETTINGS);
    builder.apply([{ kind: 'Service', key: 'shop/web', object: webService }]);
    const early = builder.apply([{ kind: 'EndpointSlice', key: 'shop/web-1', object: slice('web', [web]) }]);
    expect(early.delta.endpoints.size).toBe(0);
    const { snapshot, delta } = builder.apply([{ kind: 'Pod', key: 'shop/web', object: web }]);
    expect([...delta.endpoints]).toEqual([HOST]);
    expect(snapshot.endpoints.get(HOST)).toHaveLength(1);
  });

  test('are not those of an earlier pod of the same name', () => {
    const reborn = pod('web', { uid: 'uid-2', address: '10.0.0.2' });
    expect(endpointsOf([{ kind: 'Pod', object: reborn }, sliceObject(slice('web', [web]))])).toEqual([]);
  });

  test('of a hand-written slice need no pod', () => {
    const manual: V1EndpointSlice = {
      metadata: meta('manual'),
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 9000 }],
      endpoints: [{ addresses: ['192.0.2.1'], zone: 'eu-2' }],
    };
    expect(endpointsOf([sliceObject(manual)])).toMatchObject([
      { address: '192.0.2.1', ports: { http: 9000 }, mtls: false, locality: { region: '', zone: 'eu-2', subzone: '' } },
    ]);
  });

  test('of a slice of DNS names are none', () => {
    const names = { ...slice('web', []), addressType: 'FQDN', endpoints: [{ addresses: ['db.example.com'] }] };
    expect(endpointsOf([sliceObject(names)])).toEqual([]);
  });

  test('that are in two slices for a while count once', () => {
    const other = { ...slice('web', [web]), metadata: meta('web-2') };
    expect(endpointsOf([podObject, sliceObject(slice('web', [web])), sliceObject(other)])).toHaveLength(1);
  });

  test('of a dual-stack pod are one, in the family the Service prefers', () => {
    const v6 = { ...slice('web', [web]), metadata: meta('web-6'), addressType: 'IPv6' };
    v6.endpoints = [{ ...v6.endpoints?.[0], addresses: ['fd00::1'] }];
    const slices = [podObject, sliceObject(v6), sliceObject(slice('web', [web]))];
    expect(endpointsOf(slices)?.map(({ address }) => address)).toEqual(['10.0.0.1']);
    const objects: MeshObject[] = [
      {
        kind: 'Service',
        object: service('web', { app: 'web' }, { clusterIPs: ['fd00::a'], ipFamilies: ['IPv6', 'IPv4'] }),
      },
      ...slices,
    ];
    expect(
      buildSnapshot(SETTINGS, objects)
        .endpoints.get(HOST)
        ?.map(({ address }) => address),
    ).toEqual(['fd00::1']);
  });

  test('have the port numbers of their own slice, so a named target port may differ per pod', () => {
    const second = pod('web2', { address: '10.0.0.2' });
    const other = { ...slice('web', [second], { http: 8081 }), metadata: meta('web-2') };
    const ports = endpointsOf([
      podObject,
      { kind: 'Pod', object: second },
      sliceObject(slice('web', [web])),
      sliceObject(other),
    ]);
    expect(ports?.map((one) => one.ports)).toEqual([{ http: 8080 }, { http: 8081 }]);
  });
});

describe('Services', () => {
  const kindOf = (spec: Parameters<typeof service>[2]) =>
    buildSnapshot(SETTINGS, [{ kind: 'Service', object: service('web', {}, spec) }]).services.get(HOST);

  test('keep all their cluster IPs', () => {
    expect(kindOf({ clusterIPs: ['10.96.0.7', 'fd00::7'] })).toMatchObject({
      kind: 'ClusterIP',
      addresses: ['10.96.0.7', 'fd00::7'],
    });
  });
  test('may be headless', () => {
    expect(kindOf({ clusterIP: 'None', clusterIPs: ['None'] })).toMatchObject({ kind: 'Headless', addresses: [] });
  });
  test('may stand for an external name', () => {
    const external = kindOf({ type: 'ExternalName', externalName: 'db.example.com' });
    expect(external).toMatchObject({ kind: 'ExternalName', externalName: 'db.example.com', addresses: [] });
  });
});

test('objects of other kinds are none of the mesh', () => {
  expect(meshObject({ kind: 'Deployment' })).toBeUndefined();
  expect(meshObject({ kind: 'Pod' })).toMatchObject({ kind: 'Pod' });
});
