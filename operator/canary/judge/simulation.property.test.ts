import { describe, expect, test } from '@jest/globals';
import type { RecordedMetric, RevisionCounts, RoundInputs, SideCounts } from '../../../api/canary-round.ts';
import { binomial, randomFrom } from '../chance.fixture.ts';
import { judgeRound } from './judge-round.ts';

/**
 * Whole releases of revisions whose chances are known, judged as a cluster's are. Random numbers come from a seed, so that a run is like the last.
 */

interface Nature {
  /** Chance that a request fails, 0 to 1. */
  readonly failing: number;
  /** Median of the durations in ms; they are spread around it as those of services are, by a factor of 2 (one standard deviation of the logarithm). */
  readonly medianMs: number;
}

/** Requests of the new revision, 5,000 in all, at weights that a release has. */
const WINDOWS = [
  { requests: 500, weight: 10 },
  { requests: 1000, weight: 20 },
  { requests: 1000, weight: 20 },
  { requests: 2500, weight: 50 },
];
const BOUNDS = [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const SUCCESS: RecordedMetric = { name: 'request-success-rate', intervalMs: 0, maxDecrease: 0 };
const DURATION: RecordedMetric = { name: 'request-duration', intervalMs: 0, maxIncrease: 20 };

function durations(random: () => number, total: number, medianMs: number): SideCounts['durations'] {
  const found = new Array<number>(BOUNDS.length).fill(0);
  for (let i = 0; i < total; i++) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const ms = medianMs * Math.exp(Math.log(2) * normal);
    const at = BOUNDS.findIndex((bound) => ms <= bound);
    found[at < 0 ? BOUNDS.length - 1 : at] = (found[at < 0 ? BOUNDS.length - 1 : at] ?? 0) + 1;
  }
  return found.flatMap((count, at) =>
    count > 0 ? [{ overMs: BOUNDS[at - 1] ?? 0, upToMs: BOUNDS[at] ?? 0, count }] : [],
  );
}

function count(random: () => number, requests: number, { failing, medianMs }: Nature, timed: boolean): RevisionCounts {
  const side: SideCounts = {
    requests,
    failures: binomial(random, requests, failing),
    ...(timed ? { durations: durations(random, requests, medianMs) } : {}),
  };
  return { callers: side, served: side };
}

/** A release to its end. @returns whether the revision was stopped */
function isStopped(random: () => number, metric: RecordedMetric, next: Nature, stable: Nature): boolean {
  let evidence: RoundInputs['evidence'] = [];
  const timed = metric.name === 'request-duration';
  for (const [at, { requests, weight }] of WINDOWS.entries()) {
    const judgement = judgeRound({
      elapsedMs: 60_000,
      weight,
      window: at + 1,
      confidence: 99,
      minRequests: 10,
      metrics: [metric],
      complete: true,
      reports: true,
      next: count(random, requests, next, timed),
      stable: count(random, (requests * (100 - weight)) / weight, stable, timed),
      evidence,
    });
    if (judgement.verdict === 'Failed') return true;
    evidence = [...judgement.evidence];
  }
  return false;
}

/** How many percent of so many releases are stopped. */
function releases(runs: number, metric: RecordedMetric, next: Partial<Nature>, stable: Partial<Nature>) {
  const nature = { failing: 0, medianMs: 20 };
  let stopped = 0;
  for (let seed = 1; seed <= runs; seed++) {
    if (isStopped(randomFrom(seed * 7919), metric, { ...nature, ...next }, { ...nature, ...stable })) stopped++;
  }
  return (stopped * 100) / runs;
}

/** By hand a thousand and more: `JUDGED_RELEASES=1000`. */
const RUNS = Number(process.env.JUDGED_RELEASES ?? 200);

describe('over releases of 5,000 requests', () => {
  test.each([0.001, 0.01])(
    'a revision that fails %d of its requests, as the stable one does, is stopped in less than 1 %%',
    (failing) => {
      expect(releases(RUNS, SUCCESS, { failing }, { failing })).toBeLessThan(1);
    },
  );

  test.each([
    [0, 100],
    [0.001, 99],
    [0.005, 97],
  ])('one that fails 1 %% more than a stable one that fails %d is caught, in %d %% of them', (failing, percent) => {
    expect(releases(RUNS / 2, SUCCESS, { failing: failing + 0.01 }, { failing })).toBeGreaterThanOrEqual(percent);
  });

  test('one that is as fast is stopped in less than 1 %', () => {
    expect(releases(RUNS / 4, { ...DURATION, maxIncrease: 0 }, {}, {})).toBeLessThan(1);
  });

  test('one that takes twice as long is caught', () => {
    expect(releases(RUNS / 10, DURATION, { medianMs: 40 }, { medianMs: 20 })).toBe(100);
  });
});
