import { describe, expect, test } from '@jest/globals';
import type { MeshService } from '../mesh/snapshot.ts';
import { AliasTable } from './aliases.ts';
import { service } from './testing/mesh-fixture.ts';

function external(name: string, externalName: string): MeshService {
  return service(name, [], { kind: 'ExternalName', addresses: [], externalName });
}

function tableOf(...services: MeshService[]): AliasTable {
  const table = new AliasTable();
  for (const entry of services) table.set(entry.hostname, entry);
  return table;
}

const host = (name: string): string => `${name}.svc.cluster.local`;

describe('AliasTable', () => {
  const web = service('web.shop', []);

  test('resolves a service to itself and an alias, however written, to its target', () => {
    const table = tableOf(web, external('a.shop', 'Web.shop.svc.cluster.local.'), external('b.shop', host('a.shop')));
    for (const name of ['web.shop', 'a.shop', 'b.shop']) expect(table.target(host(name))).toBe(host('web.shop'));
  });

  test('resolves names outside of the mesh to themselves, and rings to nothing', () => {
    const table = tableOf(
      external('out.shop', 'example.com'),
      external('x.shop', host('y.shop')),
      external('y.shop', host('x.shop')),
    );
    expect(table.target(host('out.shop'))).toBe('example.com');
    expect(table.target(host('x.shop'))).toBeUndefined();
  });

  test('knows all names for a service, through other names too, and forgets those that are gone', () => {
    const table = tableOf(web, external('a.shop', host('web.shop')), external('b.shop', host('a.shop')));
    const names = (...list: string[]) => new Set(list.map(host));
    expect(table.withAliases([host('web.shop')])).toEqual(names('web.shop', 'a.shop', 'b.shop'));
    table.set(host('a.shop'), undefined);
    expect(table.withAliases([host('web.shop')])).toEqual(names('web.shop'));
    expect(table.withAliases([host('a.shop')])).toEqual(names('a.shop', 'b.shop'));
  });
});
