import { expect, test } from '@jest/globals';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { virtualService } from '../../operator/mesh/testing/objects.ts';
import { ask, shop } from './testing/shop.ts';

/** @param port of the Service for which the rule is */
const byServerName = (port: number): MeshObject => ({
  kind: 'VirtualService',
  object: virtualService('shop/names', {
    hosts: ['ordering'],
    tls: [
      {
        match: [{ port, sniHosts: ['ordering'] }],
        route: [{ destination: { host: 'ordering', subset: 'v1' } }],
      },
    ],
  }),
});

test.each([
  [
    90,
    ['a connection with TLS may go elsewhere: rules by server name (VirtualService shop/names, tls) are not looked at'],
  ],
  [91, []],
])('that rules by server name are not looked at is told where there are some, for port %d', (port, notes) => {
  expect(ask(shop([byServerName(port)]), { port: 90, tcp: true }).notes).toEqual(notes);
});
