import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MeshBuilder } from '../../operator/mesh/mesh-builder.ts';
import { keyOf, type MeshChange, type MeshObject } from '../../operator/mesh/mesh-object.ts';
import { CLIENTS, fixedObjects, randomObjects } from '../../operator/xds/testing/cluster-arbitrary.ts';
import { deltaBetween, SETTINGS } from '../../operator/xds/testing/mesh-fixture.ts';
import { XdsCache } from '../../operator/xds/xds-cache.ts';
import { useEnvoyJudge } from './support/envoy-judge.ts';

/** Objects of a cluster: many, for it is starting Envoy that takes time. */
const OBJECTS = 120;
/** Clusters, each of which three proxies are sent. */
const CLUSTERS = 3;

const objections = useEnvoyJudge();

function build(objects: readonly MeshObject[]) {
  // Kind and object stay together, which a spread over a union of types does not show.
  const changes = [...fixedObjects(), ...objects].map(
    (entry) => ({ ...entry, key: keyOf(entry.object.metadata) }) as MeshChange,
  );
  const { snapshot, unreadable } = new MeshBuilder(SETTINGS).apply(changes);
  const cache = new XdsCache();
  cache.update(snapshot, deltaBetween(undefined, snapshot));
  return { cache, unreadable, snapshot };
}

test('whatever objects there are, every proxy is sent what Envoy takes, and nothing is unreadable', async () => {
  const property = fc.asyncProperty(randomObjects(OBJECTS), async (objects) => {
    const { cache, unreadable } = build(objects);
    expect(unreadable).toEqual([]);
    for (const client of CLIENTS) {
      expect(await objections(cache, client)).toBe('');
    }
  });
  // Envoy's own message tells what it objects to; making a cluster smaller would start Envoy hundreds of times.
  await fc.assert(property, { numRuns: CLUSTERS, endOnFailure: true });
}, 120_000);

test('objects at random are worth a look: most are in force, with routes, policies and services of theirs', () => {
  const sets = fc.sample(randomObjects(OBJECTS), { numRuns: 2, seed: 1 });
  const objects = sets.flat().length;
  const inForce = sets.map((set) => build(set).snapshot);
  const sum = (count: (snapshot: (typeof inForce)[number]) => number): number =>
    inForce.reduce((total, snapshot) => total + count(snapshot), 0);
  expect(
    sum(({ routeRules, destinationPolicies, sidecars }) => routeRules.size + destinationPolicies.size + sidecars.size),
  ).toBeGreaterThan(objects / 4);
  expect(sum(({ routeRules }) => [...routeRules.values()].flatMap(({ http }) => http).length)).toBeGreaterThan(10);
  expect(sum(({ services }) => [...services.values()].filter(({ kind }) => kind === 'Entry').length)).toBeGreaterThan(
    10,
  );
});
