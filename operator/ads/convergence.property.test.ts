import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import { deltaBetween, port, service, workload } from '../xds/testing/mesh-fixture.ts';
import { applyEdits, batches, PROXIES, snapshots } from '../xds/testing/world-edits.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import { ModelEnvoy } from './testing/model-envoy.ts';
import { WorkloadMemory } from './workload-memory.ts';

/** Clusters that requests may go to; some are there now and then. */
const USED = ['a.shop', 'b.shop', 'a.bank', 'pods.shop'].flatMap((host) =>
  [80, 81].map((port) => `outbound|${port}||${host}.svc.cluster.local`),
);
/** A mesh in which two pods of one namespace are sent clusters on demand, and there are some. */
const withUse = (mesh: MeshSnapshot): MeshSnapshot => ({
  ...mesh,
  workloads: ['w0', 'w1'].reduce((all, uid) => all.set(uid, workload(uid, { onDemand: true })), mesh.workloads),
  services: ['a.shop', 'b.shop']
    .map((name) => service(name, [port(80, 'http'), port(81, 'http')]))
    .reduce((all, one) => all.set(one.hostname, one), mesh.services),
});
/** What a proxy may do by itself. */
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.constant('nothing' as const) },
  { weight: 3, arbitrary: fc.constantFrom(...USED).map((use) => ({ use })) },
  fc.constantFrom('restart' as const, 'reconnect' as const),
);

test('every proxy ends with exactly what the mesh has for it, whatever it was at when that changed', () => {
  const ofEach = <T>(one: fc.Arbitrary<T>) => fc.tuple(...PROXIES.map(() => one));
  const step = fc.record({ batch: batches, answers: ofEach(fc.nat({ max: 8 })), deeds: ofEach(deed) });
  fc.assert(
    fc.property(
      fc.oneof(snapshots, snapshots.map(withUse)),
      fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }),
      (start, steps) => {
        const cache = new XdsCache();
        cache.update(start, deltaBetween(undefined, start));
        // Pods of one namespace are of one workload, though each may see other services.
        const memory = new WorkloadMemory({ workloadOf: ({ namespace }) => namespace, now: () => 0 });
        const envoys = PROXIES.map((proxy) => new ModelEnvoy(cache, proxy, memory));
        let mesh = start;
        for (const { batch, answers, deeds } of steps) {
          for (const [index, envoy] of envoys.entries()) {
            const done = deeds[index] ?? 'nothing';
            for (let n = answers[index] ?? 0; n > 0; n--) envoy.answer();
            if (typeof done === 'object') envoy.use(done.use);
            else if (done !== 'nothing') envoy[done]();
          }
          const next = applyEdits(mesh, batch);
          cache.update(next, deltaBetween(mesh, next));
          mesh = next;
        }
        for (const envoy of envoys) {
          for (let rounds = 0; envoy.waits; rounds++) {
            expect(rounds).toBeLessThan(5000);
            envoy.answer();
          }
          expect(envoy.content()).toEqual(envoy.wanted());
          expect([...envoy.waiting]).toEqual([]);
        }
      },
    ),
    { numRuns: 60 },
  );
});
