import { describe, expect, test } from '@jest/globals';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionTraffic } from '../telemetry/traffic.ts';
import { binomial, randomFrom } from './chance.fixture.ts';
import { observationOf, podsOf, revisionOf, specOf, targetOf } from './observation.fixture.ts';
import { nextStatus } from './phase-machine.ts';

/**
 * Whole releases by the phase machine, deadline and failed checks included, of revisions whose chance to fail a request is known. Random numbers come from a
 * seed. With real requests: `npm run bench -- --only verdicts`.
 */

const START = Date.UTC(2026, 0, 1);
const LOOK_MS = 5000;
const PER_LOOK = 500;
/** Neither has a release that lasts longer an end. */
const MOST_LOOKS = 1500;
const releasing = targetOf({ current: 'r2' }, revisionOf('r2', podsOf(4)));

interface Counted {
  readonly requests: number;
  readonly failures: number;
}

/** What a revision's requests came to in all by each look. */
class Counts {
  readonly #sums: Counted[] = [{ requests: 0, failures: 0 }];

  add(requests: number, failures: number): void {
    const before = this.#sums.at(-1) ?? { requests: 0, failures: 0 };
    this.#sums.push({ requests: before.requests + requests, failures: before.failures + failures });
  }

  since(look: number): RevisionTraffic {
    const [from, to] = [this.#sums[look], this.#sums.at(-1)];
    const of = (field: keyof Counted): number => (to?.[field] ?? 0) - (from?.[field] ?? 0);
    return { requests: of('requests'), failures: of('failures'), p99Ms: 1, durations: [], reporters: 1 };
  }
}

/** A release to its end: `Promoting`, or why it was given up. @param chances of `r1` and `r2` */
function endOf(random: () => number, analysis: object, chances: Readonly<Record<string, number>>): string {
  const metrics = [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 0 } }];
  const spec = specOf({ interval: '60s', stepWeights: [10, 25, 50], threshold: 5, metrics, ...analysis });
  const counts = new Map(Object.keys(chances).map((revision) => [revision, new Counts()]));
  let status: CanaryStatus = nextStatus(undefined, observationOf(targetOf(), { spec, now: START })).status;
  for (let look = 1; look <= MOST_LOOKS; look++) {
    const fresh = binomial(random, PER_LOOK, (status.weight ?? 0) / 100);
    for (const [revision, requests] of [
      ['r2', fresh],
      ['r1', PER_LOOK - fresh],
    ] as const) {
      counts.get(revision)?.add(requests, binomial(random, requests, chances[revision] ?? 0));
    }
    const traffic = (revision: string, since: number) => {
      const side = (counts.get(revision) ?? new Counts()).since(Math.round((since - START) / LOOK_MS));
      return { callers: side, served: side, complete: true };
    };
    const now = START + look * LOOK_MS;
    ({ status } = nextStatus(status, observationOf(releasing, { spec, now, traffic })));
    if (status.phase === 'Promoting') return status.phase;
    const failed = status.conditions?.find((one) => one.type === 'Failed' && one.status === 'True');
    if (failed) return failed.reason;
  }
  return 'none';
}

/** Ends of so many releases, and how often each came. */
function endsOf(runs: number, analysis: object, r1: number, r2: number): Record<string, number> {
  const ends: Record<string, number> = {};
  for (let seed = 1; seed <= runs; seed++) {
    const end = endOf(randomFrom(seed * 104_729), analysis, { r1, r2 });
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
}

/** By hand a thousand and more: `JUDGED_RELEASES=1000`. */
const RUNS = Number(process.env.JUDGED_RELEASES ?? 200);

describe('by whole releases', () => {
  test.each([0.005, 0.01])(
    'one that is as good as a stable one that fails %d is given up in less than 1 %%',
    (chance) => {
      const { Promoting = 0 } = endsOf(RUNS, { threshold: 1 }, chance, chance);
      expect((RUNS - Promoting) / RUNS).toBeLessThan(0.01);
    },
  );

  test.each([
    [1, 0.001],
    [1, 0.005],
    [5, 0.005],
  ])(
    'one that fails 1 %% more is given up at %d failed checks, beside a stable one that fails %d',
    (threshold, chance) => {
      const { ThresholdReached = 0 } = endsOf(RUNS / 4, { threshold }, chance, chance + 0.01);
      expect(ThresholdReached / (RUNS / 4)).toBeGreaterThanOrEqual(0.97);
    },
  );

  test('small steps do not let one pass that fails 1 % more', () => {
    const analysis = { interval: '10s', stepWeights: undefined, stepWeight: 10 };
    const { ThresholdReached = 0 } = endsOf(RUNS / 4, analysis, 0.005, 0.015);
    expect(ThresholdReached / (RUNS / 4)).toBeGreaterThanOrEqual(0.97);
  });
});
