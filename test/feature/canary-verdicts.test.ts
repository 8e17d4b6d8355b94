import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { canarySpec } from '../../api/canary.ts';
import { type ReleaseEnd, releaseOnce } from './support/real-release.ts';
import { ReleaseWorld } from './support/release-world.ts';

/** What becomes of two releases by what real sidecars count of real requests; of hundreds: `npm run bench -- --only verdicts`. */
jest.setTimeout(120_000);

const PER_SECOND = 200;
const STABLE_FAILING = 0.005;

let world: ReleaseWorld;
let ends: readonly ReleaseEnd[];

/** @param failing chance of the new revision to fail a request */
async function release(nth: number, failing: number): Promise<ReleaseEnd> {
  const lane = world.lanes[nth];
  if (lane === undefined) throw new RangeError(`there is no lane ${nth}`);
  const spec = canarySpec.parse({
    targetRef: { kind: 'Deployment', name: lane.name },
    analysis: {
      interval: '1s',
      stepWeights: [50],
      threshold: 2,
      // However slow the machine.
      minRequests: 100,
      metrics: [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 0 } }],
    },
  });
  lane.stable.chance = STABLE_FAILING;
  lane.next.chance = failing;
  const load = world.load(lane, PER_SECOND);
  try {
    return await releaseOnce(world, lane, load, spec);
  } finally {
    load.stop();
  }
}

beforeAll(async () => {
  world = await ReleaseWorld.start(2);
  ends = await Promise.all([release(0, STABLE_FAILING + 0.2), release(1, 0)]);
});

afterAll(() => world?.stop());

test('a revision that fails a fifth more of its requests than the stable one is given up', () => {
  expect(ends[0]).toMatchObject({ isPromoted: false, reason: 'ThresholdReached', failedChecks: 2, untold: 0 });
});

test('one that is no worse is promoted', () => {
  expect(ends[1]).toMatchObject({ isPromoted: true, failedChecks: 0, untold: 0 });
  const { requests = 0, next = 0 } = ends[1]?.atWeight.get(50) ?? {};
  expect(next).toBeGreaterThan(requests / 10);
});
