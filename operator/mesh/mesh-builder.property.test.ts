import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sameValue } from './equality.ts';
import { buildSnapshot, MeshBuilder } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import type { MeshDelta, MeshSnapshot } from './snapshot.ts';
import { PROVIDERS } from './testing/authorization-changes.ts';
import { meshChanges } from './testing/mesh-changes.ts';
import { SETTINGS as PLAIN } from './testing/objects.ts';

const SETTINGS = { ...PLAIN, extensionProviders: PROVIDERS };

const MAPS = [
  'services',
  'endpoints',
  'workloads',
  'routeRules',
  'destinationPolicies',
  'sidecars',
  'policies',
] as const;

function difference(before: MeshSnapshot, after: MeshSnapshot): MeshDelta {
  const changed = MAPS.map((name) => {
    const keys = new Set([...before[name].keys(), ...after[name].keys()]);
    return [name, new Set([...keys].filter((key) => !sameValue(before[name].get(key), after[name].get(key))))];
  });
  return { ...Object.fromEntries(changed), settings: false };
}

/** Plain data in an order of its own: persistent sets remember how they were made. */
function plain(snapshot: MeshSnapshot) {
  const views = snapshot.policies.map((view) => ({
    ...view,
    reach: view.reach.kind === 'workloads' ? [...view.reach.workloads].sort() : view.reach,
  }));
  return [...MAPS.slice(0, -1).map((name) => snapshot[name].toObject()), views.toObject()];
}

describe('MeshBuilder under random sequences of events', () => {
  test('the incremental snapshot equals a rebuild from scratch, and the delta is exactly the difference', () => {
    const batches = fc.array(fc.array(meshChanges, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(batches, (sequence) => {
        const builder = new MeshBuilder(SETTINGS);
        const objects = new Map<string, MeshObject>();
        for (const batch of sequence) {
          for (const { kind, key, object } of batch) {
            if (object === undefined) objects.delete(`${kind}/${key}`);
            else objects.set(`${kind}/${key}`, { kind, object } as MeshObject);
          }
          const before = builder.snapshot;
          const { snapshot, delta } = builder.apply(batch);
          expect(delta).toEqual(difference(before, snapshot));
          expect(plain(snapshot)).toEqual(plain(buildSnapshot(SETTINGS, [...objects.values()].reverse())));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('an object that comes again unchanged changes nothing', () => {
    fc.assert(
      fc.property(fc.array(meshChanges, { maxLength: 40 }), (sequence) => {
        const builder = new MeshBuilder(SETTINGS);
        builder.apply(sequence);
        const last = new Map(sequence.map((change) => [`${change.kind}/${change.key}`, change]));
        const { snapshot } = builder;
        expect(builder.apply(structuredClone([...last.values()])).snapshot).toBe(snapshot);
      }),
    );
  });

  test('no split ever has an empty side with weight, and nothing held back is outside the new side', () => {
    fc.assert(
      fc.property(fc.array(meshChanges, { minLength: 20, maxLength: 80 }), (sequence) => {
        const { services, endpoints } = new MeshBuilder(SETTINGS).apply(sequence).snapshot;
        for (const { hostname, split } of services.values()) {
          const list = endpoints.get(hostname) ?? [];
          const side = (revision: string | undefined) => list.filter((one) => one.revision === revision).length;
          if (split !== undefined && split.weight > 0) expect(side(split.next)).toBeGreaterThan(0);
          if (split !== undefined && split.weight < 100) expect(side(split.stable)).toBeGreaterThan(0);
          for (const one of list) if (one.gated) expect(one.revision).toBe(split?.next);
        }
      }),
      { numRuns: 60 },
    );
  });
});
