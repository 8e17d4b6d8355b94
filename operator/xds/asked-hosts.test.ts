import { expect, test } from '@jest/globals';
import { LOADING_ANNOTATION } from '../../api/pod-names.ts';
import type { MeshObject } from '../mesh/mesh-object.ts';
import { pod, SETTINGS, service, serviceEntry, virtualService } from '../mesh/testing/objects.ts';
import { readAuthority } from './names.ts';
import { VIRTUAL_HOST_TYPE } from './resource.ts';
import { MeshCache } from './testing/mesh-cache.ts';
import { proxyOf } from './testing/mesh-fixture.ts';

const LAZY = proxyOf('lazy');

function external(name: string, host: string): MeshObject {
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
  const spec = { hosts: [host], location: 'MESH_EXTERNAL' as const, resolution: 'NONE' as const, ports };
  return { kind: 'ServiceEntry', object: serviceEntry(`shop/${name}`, spec) };
}

function start(...more: readonly MeshObject[]) {
  const mesh = new MeshCache(SETTINGS);
  const app = pod('web', { uid: 'lazy' });
  app.metadata = { ...app.metadata, annotations: { ...app.metadata?.annotations, [LOADING_ANNOTATION]: 'on-demand' } };
  const web = service('web', {}, { clusterIP: '10.96.0.1' });
  mesh.put({ kind: 'Pod', object: app }, { kind: 'Service', object: web }, ...more);
  const answer = (asked: string) => mesh.cache.answer(LAZY, VIRTUAL_HOST_TYPE, asked);
  return { mesh, answer };
}

test.each([
  ['80/web', '80/web.shop.svc.cluster.local', 'some'],
  ['80/WEB.shop:8080', '80/web.shop.svc.cluster.local', 'some'],
  ['80/10.96.0.1:80', '80/web.shop.svc.cluster.local', 'some'],
  ['80/a.example.com', '80/a.example.com', 'some'],
  ['80/b.example.com', '80/*.example.com', 'covered'],
  ['80/example.com', '80/example.com|asked', 'unknown'],
  ['80/nobody:1', '80/nobody|asked', 'unknown'],
  ['80/[::1]:80', '80/[::1]|asked', 'unknown'],
  ['80/*', '80/*|unknown', 'all'],
  ['80/', '80/*|unknown', 'all'],
  ['80/a b', '80/*|unknown', 'all'],
  [`80/${'x'.repeat(254)}`, '80/*|unknown', 'all'],
])('%s is answered by %s', (asked, name, kind) => {
  const { answer } = start(external('one', 'a.example.com'), external('wild', '*.example.com'));
  expect(answer(asked)).toEqual({ name, kind });
});

test('for names of anything else nothing answers', () => {
  const { answer } = start();
  for (const asked of ['80', 'web', '*', '080/web']) expect(answer(asked)).toBeUndefined();
});

test('on a port without HTTP a host is unknown: there may be some again, and nobody asks twice', () => {
  expect(start().answer('81/web')).toEqual({ name: '81/web|asked', kind: 'unknown' });
});

test('the virtual host of an unknown host is there until somebody has the host', () => {
  const { mesh } = start();
  const found = () => mesh.cache.lookup(LAZY, VIRTUAL_HOST_TYPE, '80/a.example.com|asked');
  expect(found()).toBeDefined();
  const before = mesh.cache.answersState();
  mesh.put(external('one', 'a.example.com'));
  expect(found()).toBeUndefined();
  expect(mesh.cache.answersState()).not.toBe(before);
});

test('with a wildcard goes what it covers', () => {
  const { mesh } = start(
    external('one', 'a.example.com'),
    external('other', 'b.test'),
    external('wild', '*.example.com'),
  );
  expect([...mesh.cache.companions(LAZY, VIRTUAL_HOST_TYPE, '80/*.example.com')]).toEqual(['80/a.example.com']);
});

test('a change of rules alone leaves what answers what', () => {
  const { mesh } = start();
  const before = mesh.cache.answersState();
  const spec = { hosts: ['web'], http: [{ route: [{ destination: { host: 'web' } }], timeout: '1s' }] };
  mesh.put({ kind: 'VirtualService', object: virtualService('shop/web', spec) });
  expect(mesh.cache.answersState()).toBe(before);
});

test.each([
  ['80/web.shop:8080', { port: 80, domain: 'web.shop' }],
  ['80/[FD00::1]', { port: 80, domain: '[fd00::1]' }],
  ['80/a:b:c', { port: 80, domain: 'a:b' }],
  ['0/a', undefined],
  ['outbound|80', undefined],
])('the authority in %s', (name, read) => {
  expect(readAuthority(name)).toEqual(read);
});
