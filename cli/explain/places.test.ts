import { expect, test } from '@jest/globals';
import { buildSnapshot } from '../../operator/mesh/mesh-builder.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { pod, SETTINGS, service } from '../../operator/mesh/testing/objects.ts';
import { readHeader } from './explain-command.ts';
import { choosePort, findCaller, readDestination, similarHosts } from './places.ts';

test.each([
  ['http://ordering.shop/cart?x=1#y', { host: 'ordering.shop', port: 80, path: '/cart?x=1', scheme: 'http' }],
  ['http://ordering:8080', { host: 'ordering', port: 8080, path: '/', scheme: 'http' }],
  ['http://ordering/a/../b', { host: 'ordering', port: 80, path: '/a/../b', scheme: 'http' }],
  ['https://pay.example.com/', { host: 'pay.example.com', port: 443, path: '/', scheme: 'https' }],
  ['ordering', { host: 'ordering' }],
  ['ordering:80', { host: 'ordering', port: 80 }],
  ['shop/ordering:80', { host: 'ordering.shop', port: 80 }],
  ['svc/ordering', { host: 'ordering' }],
])('%s is a destination', (text, destination) => {
  expect(readDestination(text)).toEqual(destination);
});

test.each(['http://', 'a/b/c', 'ordering:x', ''])('"%s" is none', (text) => {
  expect(() => readDestination(text)).toThrow(expect.objectContaining({ code: 2 }));
});

test('a header is one as curl takes it', () => {
  expect(readHeader('x-user:  a b ')).toEqual(['x-user', 'a b']);
  expect(() => readHeader('x-user')).toThrow(expect.objectContaining({ code: 2 }));
});

const PODS = [
  pod('ui-1', { deployment: 'ui', revision: 'a', injected: false }),
  pod('ui-2', { deployment: 'ui', revision: 'a', gated: true }),
  pod('ui-3', { deployment: 'ui', revision: 'a' }),
].map((object): MeshObject => ({ kind: 'Pod', object }));

test('of a workload the pod that calls is one that is ready and has a sidecar', () => {
  expect(findCaller(PODS, 'shop', 'deploy/ui').name).toBe('ui-3');
  expect(findCaller(PODS, 'shop', 'ui-1').injected).toBe(false);
  expect(() => findCaller(PODS, 'shop', 'deploy/iu')).toThrow(
    expect.objectContaining({ message: 'there is no pod or workload iu in namespace shop', next: 'did you mean ui?' }),
  );
});

test('a port that is not told is the only one, or 80, or asked for', () => {
  const ports = [
    { name: 'a', port: 81 },
    { name: 'b', port: 82 },
  ];
  const mesh = buildSnapshot(SETTINGS, [
    { kind: 'Service', object: service('one', {}, { ports: [{ name: 'http', port: 8080 }] }) },
    { kind: 'Service', object: service('two', {}, { ports }) },
    { kind: 'Service', object: service('three', {}, { ports: [...ports, { name: 'c', port: 80 }] }) },
  ]);
  const of = (name: string) => mesh.services.get(`${name}.shop.svc.cluster.local`);
  expect(choosePort({ host: 'one' }, of('one'))).toBe(8080);
  expect(choosePort({ host: 'three' }, of('three'))).toBe(80);
  expect(choosePort({ host: 'nobody' }, undefined)).toBe(80);
  expect(() => choosePort({ host: 'two' }, of('two'))).toThrow(
    expect.objectContaining({ message: 'two has several ports: 81 (a), 82 (b)', code: 2 }),
  );
  expect(similarHosts(mesh, 'thre.shop')).toEqual(['three']);
});
