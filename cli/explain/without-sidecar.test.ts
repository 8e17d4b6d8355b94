import { expect, test } from '@jest/globals';
import { service } from '../../operator/mesh/testing/objects.ts';
import { ask, shop } from './testing/shop.ts';

/** Besides the shop: a Service `api` in a namespace `example`, which is not `api.example.com`. */
const API = service('api', { app: 'api' });
const MESH = shop([{ kind: 'Service', object: { ...API, metadata: { ...API.metadata, namespace: 'example' } } }]);

test.each(['ordering', 'ordering.shop.svc', 'Ordering.shop', 'ordering.shop.svc.cluster.local.'])(
  'who has no sidecar means the Service by %s',
  (host) => {
    expect(ask(MESH, { host, plain: true }).service?.hostname).toBe('ordering.shop.svc.cluster.local');
    expect(ask(MESH, { host }).service?.hostname).toBe('ordering.shop.svc.cluster.local');
  },
);

test('a name outside of the cluster is no Service that begins alike', () => {
  const { verdict, service: found, outcomes } = ask(MESH, { host: 'api.example.com', plain: true });
  expect([verdict, found, outcomes.map(({ end }) => end)]).toEqual(['passes', undefined, ['outside']]);
});
