import { describe, expect, test } from '@jest/globals';
import { Map as PersistentMap } from 'immutable';
import type { MeshService } from '../mesh/snapshot.ts';
import { AliasTable } from './aliases.ts';
import { service } from './testing/mesh-fixture.ts';

function external(name: string, externalName: string): MeshService {
  return service(name, [], { kind: 'ExternalName', addresses: [], externalName });
}

function tableOf(...services: MeshService[]) {
  const table = new AliasTable();
  for (const entry of services) table.set(entry.hostname, entry);
  const byName = PersistentMap(services.map((entry) => [entry.hostname, entry]));
  return { table, byName };
}

const host = (name: string): string => `${name}.svc.cluster.local`;

describe('AliasTable', () => {
  const web = service('web.shop', []);

  test('resolves a service to itself and an alias, however written, to its target', () => {
    const { table, byName } = tableOf(
      web,
      external('a.shop', 'Web.shop.svc.cluster.local.'),
      external('b.shop', host('a.shop')),
    );
    for (const name of ['web.shop', 'a.shop', 'b.shop']) expect(table.resolve(host(name), byName)).toBe(web);
  });

  test('resolves a name that leads out of the mesh, or in a ring, to nothing', () => {
    const { table, byName } = tableOf(
      external('out.shop', 'example.com'),
      external('x.shop', host('y.shop')),
      external('y.shop', host('x.shop')),
    );
    for (const name of ['out.shop', 'x.shop', 'y.shop']) expect(table.resolve(host(name), byName)).toBeUndefined();
  });

  test('finds all names that lead to a service, rings included', () => {
    const { table } = tableOf(web, external('a.shop', host('web.shop')), external('b.shop', host('a.shop')));
    expect(table.withAliases([host('web.shop')])).toEqual(new Set(['web.shop', 'a.shop', 'b.shop'].map(host)));
    table.set(host('web.shop'), external('web.shop', host('b.shop')));
    expect(table.withAliases([host('web.shop')]).size).toBe(3);
  });

  test('forgets an alias that goes or points elsewhere', () => {
    const { table } = tableOf(web, external('a.shop', host('web.shop')), external('b.shop', host('web.shop')));
    table.set(host('a.shop'), undefined);
    table.set(host('b.shop'), external('b.shop', 'example.com'));
    expect(table.withAliases([host('web.shop')])).toEqual(new Set([host('web.shop')]));
  });
});
