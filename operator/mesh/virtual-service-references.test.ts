import { describe, expect, test } from '@jest/globals';
import type { VirtualServiceSpec } from '../../api/virtual-service.ts';
import type { MeshObject } from './mesh-object.ts';
import { destinationRule, serviceEntry } from './testing/objects.ts';
import { A, buildRoutes, to, told } from './testing/virtual-services.ts';

describe('references', () => {
  const entry = (key: string, host: string, exportTo: string[]): MeshObject => {
    const ports = [{ number: 443, name: 'tls', protocol: 'TLS' }];
    return { kind: 'ServiceEntry', object: serviceEntry(key, { hosts: [host], exportTo, ports }) };
  };
  const subsets = (key: string, host: string, exportTo: string[]): MeshObject => ({
    kind: 'DestinationRule',
    object: destinationRule(key, { host, exportTo, subsets: [{ name: 'v1' }] }),
  });

  test.each<[string, VirtualServiceSpec['http'], MeshObject[]]>([
    ['a Service and its port', [to('a', { port: { number: 80 } })], []],
    ['a ServiceEntry', [to('x.example.com', { port: { number: 443 } })], [entry('other/e', 'x.example.com', ['*'])]],
    [
      'a ServiceEntry of its own that is for nobody else',
      [to('x.example.com')],
      [entry('shop/e', 'x.example.com', ['.'])],
    ],
    ['a ServiceEntry with a wildcard', [to('x.example.com')], [entry('other/e', '*.example.com', ['*'])]],
    ['a subset', [to('a', { subset: 'v1' })], [subsets('other/r', 'a.shop.svc.cluster.local', ['*'])]],
    ['a subset for a wildcard', [to('a', { subset: 'v1' })], [subsets('shop/r', '*.shop.svc.cluster.local', ['.'])]],
  ])('are found: %s', (_, http, others) => {
    expect(told(buildRoutes([['shop/v', { hosts: ['a'], http }]], others), 'shop/v')).toEqual([]);
  });

  test.each<[string, VirtualServiceSpec['http'], MeshObject[], string, string]>([
    [
      'a host that is not there',
      [to('b')],
      [],
      'DestinationNotFound',
      'spec.http[0].route[0].destination: there is no Service',
    ],
    [
      'a mirror that is not there',
      [{ ...to('a'), mirror: { host: 'b' } }],
      [],
      'DestinationNotFound',
      'spec.http[0].mirror: there is no Service or ServiceEntry for host b.shop.svc.cluster.local',
    ],
    [
      'one of several places',
      [{ ...to('b'), match: [{ port: 80 }] }, to('b')],
      [],
      'DestinationNotFound',
      'spec.http[0].route[0].destination and 1 more: ',
    ],
    [
      'a destination that gets nothing',
      [
        {
          route: [
            { destination: { host: 'a' }, weight: 1 },
            { destination: { host: 'b' }, weight: 0 },
          ],
        },
      ],
      [],
      'DestinationNotFound',
      'spec.http[0].route[1].destination',
    ],
    [
      'a ServiceEntry that is for others',
      [to('x.example.com')],
      [entry('other/e', 'x.example.com', ['.'])],
      'DestinationNotFound',
      'ServiceEntry other/e is not exported to namespace shop',
    ],
    [
      'a port that the Service lacks',
      [to('a', { port: { number: 81 } })],
      [],
      'PortNotFound',
      'Service shop/a has no port 81; its ports are: 80',
    ],
    ['a subset that nobody defines', [to('a', { subset: 'v1' })], [], 'SubsetNotFound', `subset "v1" of ${A}`],
    [
      'a subset that is for others',
      [to('a', { subset: 'v1' })],
      [subsets('other/r', A, ['.'])],
      'SubsetNotFound',
      'no DestinationRule that namespace shop sees',
    ],
    [
      'a subset of that name of another host',
      [to('a', { subset: 'v1' })],
      [subsets('shop/r', 'b', ['*'])],
      'SubsetNotFound',
      'subset "v1"',
    ],
  ])('are missed, and the rules stay in force: %s', (_, http, others, reason, message) => {
    const snapshot = buildRoutes([['shop/v', { hosts: ['a'], http }]], others);
    expect(told(snapshot, 'shop/v')).toEqual([[reason, expect.stringContaining(message)]]);
    expect(snapshot.routeRules.get('VirtualService/shop/v')?.http).toHaveLength(http?.length ?? 0);
  });

  test('many that are missed are counted', () => {
    const http = Array.from({ length: 50 }, (_, index) => ({ match: [{ port: index + 1 }], ...to(`x${index}`) }));
    const problems = told(buildRoutes([['shop/v', { hosts: ['a'], http }]]), 'shop/v');
    expect(problems).toHaveLength(8);
    expect(problems.at(-1)?.[1]).toContain('42 more destinations are missing');
  });
});
