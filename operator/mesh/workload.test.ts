import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { SIDE_ANNOTATION } from '../../api/canary-side.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { pod, SETTINGS, service } from './testing/objects.ts';

const labels = { app: 'web' };
const workloadOf = (object: V1Pod, ...more: MeshObject[]) =>
  buildSnapshot(SETTINGS, [{ kind: 'Pod', object }, ...more]).workloads.get(object.metadata?.uid ?? '');
const inboundOf = (object: V1Pod, ...services: ReturnType<typeof service>[]) =>
  workloadOf(object, ...services.map((one): MeshObject => ({ kind: 'Service', object: one })))?.inbound;

describe('workloads', () => {
  test('are injected pods', () => {
    expect(workloadOf(pod('web', { deployment: 'web', revision: 'r1', labels }))).toMatchObject({
      spiffeId: 'spiffe://cluster.local/ns/shop/sa/web',
      serviceAccount: 'web',
      revision: 'r1',
      owner: 'web',
      node: 'node-1',
      addresses: ['10.0.0.1'],
    });
  });

  const plain = pod('web');
  test.each<[string, V1Pod]>([
    ['was not injected', pod('web', { injected: false })],
    ['was injected by somebody else', { ...plain, metadata: { ...plain.metadata, annotations: {} } }],
    ['has no sidecar though the annotation says so', { ...plain, spec: { containers: [] } }],
    ['is on the network of its node', { ...plain, spec: { containers: [{ name: 'istio-proxy' }], hostNetwork: true } }],
    ['has ended', pod('web', { phase: 'Succeeded' })],
    ['has failed', pod('web', { phase: 'Failed' })],
  ])('are not a pod that %s', (_, object) => {
    expect(workloadOf(object)).toBeUndefined();
  });

  test.each([
    [true, true],
    [false, false],
    [undefined, false],
  ])('tell whether the sidecar has started: kubelet says %s', (started, proxyStarted) => {
    const object = pod('web');
    const container = { name: 'istio-proxy', image: '', imageID: '', ready: true, restartCount: 0 };
    const initContainerStatuses = [started === undefined ? container : { ...container, started }];
    expect(workloadOf({ ...object, status: { initContainerStatuses } })?.proxyStarted).toBe(proxyStarted);
  });

  test.each([
    ['ReplicaSet', 'web-r1', 'web'],
    ['ReplicaSet', 'bare', 'bare'],
    ['StatefulSet', 'db', 'db'],
    ['Job', 'backup-29000000', 'backup'],
    ['Job', 'once', 'once'],
  ])('are owned by what their user knows: %s %s', (kind, name, owner) => {
    const object = pod('web', { labels: { 'pod-template-hash': 'r1' } });
    const ownerReferences = [{ apiVersion: 'x', kind, name, uid: 'u', controller: true }];
    expect(workloadOf({ ...object, metadata: { ...object.metadata, ownerReferences } })?.owner).toBe(owner);
  });

  test('without a controller are their own owner', () => {
    expect(workloadOf(pod('web'))?.owner).toBe('web');
  });

  test('of a StatefulSet have the controller revision', () => {
    expect(workloadOf(pod('web', { labels: { 'controller-revision-hash': 'c7' } }))?.revision).toBe('c7');
  });
});

describe('what a sidecar is sent', () => {
  const loading = (annotation: string | undefined, configurationLoading: 'eager' | 'on-demand') => {
    const object = pod('web');
    if (annotation !== undefined)
      object.metadata = {
        ...object.metadata,
        annotations: { ...object.metadata?.annotations, 'heddle.dev/configuration-loading': annotation },
      };
    const settings = { ...SETTINGS, proxy: { configurationLoading } };
    return buildSnapshot(settings, [{ kind: 'Pod', object }]).workloads.get('uid-web')?.onDemand;
  };

  test.each([
    ['everything, by default', undefined, 'eager', false],
    ["on demand, by the mesh's settings", undefined, 'on-demand', true],
    ['on demand, by an annotation', 'on-demand', 'eager', true],
    ["everything, by an annotation against the mesh's settings", 'eager', 'on-demand', false],
    ["what the mesh's settings say, by an annotation that means nothing", 'lazy', 'on-demand', true],
  ] as const)('is %s', (_, annotation, settings, expected) => {
    expect(loading(annotation, settings)).toBe(expected);
  });
});

describe('inbound ports', () => {
  const host = (name: string) => `${name}.shop.svc.cluster.local`;

  test('are the targets of the Services that select the pod, with their protocol', () => {
    expect(inboundOf(pod('web', { labels }), service('web', labels), service('other', { app: 'x' }))).toEqual([
      { port: 8080, protocol: 'http', service: host('web') },
    ]);
  });

  test('follow a named target port to the container', () => {
    const object = pod('web', { labels, ports: [{ name: 'api', containerPort: 9000 }] });
    const named = service('web', labels, { ports: [{ name: 'grpc', port: 80, targetPort: 'api' }] });
    expect(inboundOf(object, named)).toEqual([{ port: 9000, protocol: 'grpc', service: host('web') }]);
  });

  test('are sniffed where Services disagree, and name the oldest', () => {
    const young = service('a', labels, { ports: [{ name: 'tcp', port: 1, targetPort: 8080 }] });
    young.metadata = { ...young.metadata, creationTimestamp: new Date('2026-02-01T00:00:00Z') };
    expect(inboundOf(pod('web', { labels }), young, service('z', labels))).toEqual([
      { port: 8080, protocol: 'auto', service: host('z') },
    ]);
  });

  test('name an address of one side of a Canary only where no other Service leads there, however old it is', () => {
    const address = service('a-canary', labels);
    address.metadata = {
      ...address.metadata,
      annotations: { [SIDE_ANNOTATION]: 'canary' },
      creationTimestamp: new Date('2025-01-01T00:00:00Z'),
    };
    expect(inboundOf(pod('web', { labels }), address, service('z', labels))).toMatchObject([{ service: host('z') }]);
    expect(inboundOf(pod('web', { labels }), address)).toMatchObject([{ service: host('a-canary') }]);
  });

  test('include what containers declare, but not UDP nor the ports of the sidecar', () => {
    const ports = [{ containerPort: 7000 }, { containerPort: 3306 }, { containerPort: 53, protocol: 'UDP' }];
    const object = pod('web', { ports });
    object.spec?.initContainers?.forEach((one) => {
      one.ports = [{ containerPort: 15090 }];
    });
    expect(inboundOf(object)).toEqual([
      { port: 3306, protocol: 'tcp' },
      { port: 7000, protocol: 'auto' },
    ]);
  });

  test('leave out the UDP ports of Services', () => {
    const dns = service('dns', labels, { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
    expect(inboundOf(pod('web', { labels }), dns)).toEqual([]);
  });
});
