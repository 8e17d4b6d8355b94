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
const PORTS = ['80', '81', '9000'];
/** What requests are for, from proxies that have virtual hosts on demand. */
const AUTHORITIES = [
  'a',
  'a.shop:80',
  'b.shop.svc.cluster.local',
  'a.bank.svc',
  '10.96.0.1:9000',
  '[fd00::1]:80',
  'x.pods',
  'pods.shop',
  'api.example.com',
  'x.example.com',
  'nobody.example.com:81',
  'nobody.com',
  'x.shop.svc.cluster.local',
];
/** A mesh in which two pods of one namespace are sent clusters on demand, and there are some. */
const withUse = (mesh: MeshSnapshot): MeshSnapshot => ({
  ...mesh,
  workloads: ['w0', 'w1'].reduce((all, uid) => all.set(uid, workload(uid, { onDemand: true })), mesh.workloads),
  services: ['a.shop', 'b.shop']
    .map((name) => service(name, [port(80, 'http'), port(81, 'http')]))
    .reduce((all, one) => all.set(one.hostname, one), mesh.services),
});
/** The same mesh, but all its pods are sent on demand. */
const onDemand = (mesh: MeshSnapshot): MeshSnapshot => {
  let { workloads } = mesh;
  for (const pod of [...workloads.values()]) workloads = workloads.set(pod.uid, { ...pod, onDemand: true });
  return { ...mesh, workloads };
};
/** What a proxy may do by itself. */
const deed = fc.oneof(
  { weight: 3, arbitrary: fc.constant('nothing' as const) },
  { weight: 3, arbitrary: fc.constantFrom(...USED).map((use) => ({ use })) },
  {
    weight: 3,
    arbitrary: fc.record({ port: fc.constantFrom(...PORTS), authority: fc.constantFrom(...AUTHORITIES) }),
  },
  fc.constantFrom('restart' as const, 'reconnect' as const),
);

/** Answers until nothing is left to answer. */
function settle(envoy: ModelEnvoy): void {
  for (let rounds = 0; envoy.waits; rounds++) {
    expect(rounds).toBeLessThan(5000);
    envoy.answer();
  }
}

test('every proxy ends with exactly what the mesh has for it, whatever it was at when that changed', () => {
  const ofEach = <T>(one: fc.Arbitrary<T>) => fc.tuple(...PROXIES.map(() => one));
  const step = fc.record({ batch: batches, answers: ofEach(fc.nat({ max: 8 })), deeds: ofEach(deed) });
  fc.assert(
    fc.property(
      fc.constantFrom((mesh: MeshSnapshot) => mesh, onDemand),
      fc.oneof(snapshots, snapshots.map(withUse)),
      fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }),
      (keep, snapshot, steps) => {
        const start = keep(snapshot);
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
            if (typeof done === 'object') {
              if ('use' in done) envoy.use(done.use);
              else envoy.request(done.port, done.authority);
            } else if (done !== 'nothing') envoy[done]();
          }
          const next = keep(applyEdits(mesh, batch));
          cache.update(next, deltaBetween(mesh, next));
          mesh = next;
        }
        for (const envoy of envoys) {
          settle(envoy);
          for (const port of envoy.routes) for (const authority of AUTHORITIES) envoy.request(port, authority);
          settle(envoy);
          for (const port of envoy.routes) {
            for (const one of AUTHORITIES)
              expect([one, envoy.hostOf(port, one)]).toEqual([one, envoy.hostWanted(port, one)]);
          }
          expect(envoy.content()).toEqual(envoy.wanted());
          expect([...envoy.waiting]).toEqual([]);
        }
      },
    ),
    { numRuns: 30 },
  );
});
