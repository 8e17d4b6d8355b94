import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import type { MeshChange, MeshObject } from './mesh-object.ts';
import type { MeshSnapshot } from './snapshot.ts';
import { destinationRule, SETTINGS, service, serviceEntry } from './testing/objects.ts';
import { virtualServiceChanges } from './testing/virtual-service-changes.ts';

const OURS: readonly MeshChange[] = ['shop', 'other'].map((name) => ({
  kind: 'Namespace',
  key: name,
  object: { metadata: { name, labels: { 'heddle.dev/injection': 'enabled' } } },
}));

const serviceChanges = fc
  .tuple(fc.constantFrom('s0', 's1'), fc.option(fc.constantFrom(80, 443), { nil: undefined }))
  .map(([name, port]): MeshChange => {
    const object = port && service(name, {}, { ports: [{ name: 'http', port }] });
    return { kind: 'Service', key: `shop/${name}`, object: object || undefined };
  });

const exports = fc.constantFrom<string[][]>(['*'], ['.']);

const entryChanges = fc
  .tuple(
    fc.constantFrom('shop/a', 'other/a'),
    fc.option(fc.tuple(fc.constantFrom('*.example.com', 'www.example.com', '*'), exports), { nil: undefined }),
  )
  .map(([key, options]): MeshChange => {
    const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
    const object = options && serviceEntry(key, { hosts: [options[0]], exportTo: options[1], ports });
    return { kind: 'ServiceEntry', key, object };
  });

const hosts = fc.constantFrom('s0.shop.svc.cluster.local', '*.svc.cluster.local', '*.example.com', '*');

const ruleChanges = fc
  .tuple(fc.constantFrom('shop/a', 'other/a'), fc.option(fc.tuple(hosts, exports), { nil: undefined }))
  .map(([key, options]): MeshChange => {
    const object =
      options && destinationRule(key, { host: options[0], exportTo: options[1], subsets: [{ name: 'v1' }] });
    return { kind: 'DestinationRule', key, object };
  });

const changes = fc.oneof(
  { weight: 6, arbitrary: virtualServiceChanges },
  { weight: 2, arbitrary: serviceChanges },
  entryChanges,
  ruleChanges,
);

/** What a snapshot says of VirtualServices. */
function told({ routeRules, policies }: MeshSnapshot) {
  const views = policies.filter(({ object }) => object.kind === 'VirtualService');
  return [routeRules.toObject(), views.map((view) => ({ ...view, reach: JSON.stringify(view.reach) })).toObject()];
}

describe('VirtualServices under random sequences of events', () => {
  test('their routes and views equal those of a rebuild from scratch', () => {
    const batches = fc.array(fc.array(changes, { minLength: 1, maxLength: 3 }), { minLength: 5, maxLength: 40 });
    const reasons = new Set<string>();
    fc.assert(
      fc.property(batches, (sequence) => {
        const builder = new MeshBuilder(SETTINGS);
        const objects = new Map<string, MeshObject>();
        for (const batch of [OURS, ...sequence]) {
          for (const { kind, key, object } of batch) {
            if (object === undefined) objects.delete(`${kind}/${key}`);
            else objects.set(`${kind}/${key}`, { kind, object } as MeshObject);
          }
          const { snapshot } = builder.apply(batch);
          expect(told(snapshot)).toEqual(told(buildSnapshot(SETTINGS, [...objects.values()].reverse())));
          for (const { problems } of snapshot.policies.values()) for (const { reason } of problems) reasons.add(reason);
        }
      }),
      { numRuns: 60 },
    );
    // All there is to say came up, so all of it was held against the rebuild.
    expect([...reasons]).toEqual(
      expect.arrayContaining([
        ...['Invalid', 'DelegateInvalid', 'OlderVirtualService'],
        ...['DestinationNotFound', 'PortNotFound', 'SubsetNotFound'],
      ]),
    );
  });
});
