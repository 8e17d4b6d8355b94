import { describe, expect, test } from '@jest/globals';
import type { RecordedMetric, RevisionCounts, RoundInputs } from '../../../api/canary-round.ts';
import { judgeRound } from './judge-round.ts';

const success: RecordedMetric = { name: 'request-success-rate', intervalMs: 10_000, min: 99 };
const duration: RecordedMetric = { name: 'request-duration', intervalMs: 10_000, max: 500 };
const noWorse: RecordedMetric = { name: 'request-success-rate', intervalMs: 10_000, maxDecrease: 0 };

/** The same counts on both sides of the call, all requests of about one duration. */
function counts(requests: number, failures = 0, ms = 12): RevisionCounts {
  const durations = requests > 0 ? [{ overMs: ms - 0.01, upToMs: ms, count: requests }] : [];
  const side = { requests, failures, durations };
  return { callers: side, served: side };
}

function inputsOf(next: RevisionCounts, more: Partial<RoundInputs> = {}): RoundInputs {
  return {
    elapsedMs: 20_000,
    weight: 10,
    window: 1,
    confidence: 99,
    minRequests: 10,
    metrics: [success, duration],
    complete: true,
    reports: true,
    next,
    stable: counts(9000),
    ...more,
  };
}

function judge(next: RevisionCounts, more: Partial<RoundInputs> = {}): string {
  const { verdict, message } = judgeRound(inputsOf(next, more));
  return message === undefined ? verdict : `${verdict}: ${message}`;
}

describe('a window', () => {
  test.each<[string, RevisionCounts, Partial<RoundInputs>, string]>([
    ['passes with every metric in its range', counts(1000, 10), {}, 'Passed'],
    ['fails below the success rate', counts(1000, 40), {}, 'Failed: request-success-rate 96 % is below 99 %'],
    ['fails above the duration', counts(1000, 0, 501), {}, 'Failed: request-duration 500.99 ms is above 500 ms'],
    [
      'fails for requests that never arrived, which only callers see',
      { ...counts(50), callers: counts(100, 50).callers },
      {},
      'Failed: request-success-rate 50 % is below 99 %',
    ],
    [
      'fails for answers that are bad on the served side only',
      { ...counts(1000), served: counts(1000, 50).served },
      {},
      'Failed: request-success-rate 95 % is below 99 %',
    ],
    [
      'passes over one bad answer on a side that saw too few to tell',
      { ...counts(100), served: counts(2, 1).served },
      {},
      'Passed',
    ],
    [
      'has no verdict on one error in ten requests',
      counts(10, 1),
      {},
      'InsufficientEvidence: request-success-rate 90 % is below 99 %, but 10 requests are not evidence enough for a verdict',
    ],
    ['fails at once when no request succeeds', counts(10, 10), {}, 'Failed: none of 10 requests succeeded'],
    [
      'says nothing with too few requests',
      counts(9, 9),
      {},
      'InsufficientTraffic: callers sent 9 of the 10 requests a check needs',
    ],
    [
      'says nothing while counts are missing',
      counts(1000, 1000),
      { complete: false },
      'IncompleteMetrics: the counts of some proxies are missing or old',
    ],
    [
      'names the pods whose counts are missing',
      counts(1000),
      { complete: false, missing: ['shop/a', 'shop/b'] },
      'IncompleteMetrics: the sidecars of pods shop/a, shop/b do not report to the leading operator, so their counts are missing',
    ],
    [
      'fails when the counters of the revision have vanished',
      counts(100),
      { reports: false },
      "Failed: the counters of the revision's own sidecars have vanished",
    ],
    [
      'does not take the silence of a short window for vanished counters',
      counts(100),
      { reports: false, elapsedMs: 14_000 },
      "IncompleteMetrics: the counters of the revision's own sidecars have vanished",
    ],
    [
      'waits for a metric that has a longer interval',
      counts(1000),
      { metrics: [success, { ...duration, intervalMs: 60_000 }] },
      'Pending: request-duration is judged after 60 s',
    ],
    [
      'fails before that when another metric has failed',
      counts(1000, 500),
      { metrics: [success, { ...duration, intervalMs: 60_000 }] },
      'Failed: request-success-rate 50 % is below 99 %',
    ],
  ])('%s', (_, next, more, expected) => {
    expect(judge(next, more)).toBe(expected);
  });

  test('is not final about a revision that fails as the stable one does', () => {
    const all = judgeRound(inputsOf(counts(10, 10), { stable: counts(90, 90), metrics: [noWorse] }));
    expect(all).toMatchObject({ verdict: 'Passed' });
    expect(all.final).toBeUndefined();
  });
});

describe('compared with the stable revision', () => {
  test.each<[string, RevisionCounts, Partial<RoundInputs>, string]>([
    ['equal rates pass, whichever looks the worse', counts(1000, 6), { stable: counts(9000, 45) }, 'Passed'],
    [
      'a lower rate fails',
      counts(5000, 75),
      { stable: counts(45_000, 225) },
      'Failed: request-success-rate 98.5 % is more than 0 points below the 99.5 % of the stable revision',
    ],
    [
      'a lower rate within the margin passes',
      counts(5000, 75),
      { stable: counts(45_000, 225), metrics: [{ ...noWorse, maxDecrease: 2 }] },
      'Passed',
    ],
    [
      'one error in ten is no verdict',
      counts(10, 1),
      {},
      'InsufficientEvidence: request-success-rate 90 % is more than 0 points below the 100 % of the stable revision, but 10 requests are not evidence enough for a verdict',
    ],
    [
      'a stable revision with too few requests tells nothing',
      counts(100),
      { stable: counts(9) },
      'InsufficientTraffic: the stable revision got 9 of the 10 requests that a comparison of request-success-rate needs',
    ],
    [
      'one that gets none at this weight is what it was in the windows before',
      counts(5000, 75),
      { weight: 100, stable: counts(0), earlierStable: counts(45_000, 225) },
      'Failed: request-success-rate 98.5 % is more than 0 points below the 99.5 % of the stable revision',
    ],
    [
      'a slower percentile fails',
      counts(1000, 0, 40),
      { metrics: [{ name: 'request-duration', intervalMs: 0, percentile: 90, maxIncrease: 50 }] },
      'Failed: request-duration 39.99 ms is more than 50 % above the 11.99 ms of the stable revision',
    ],
    [
      'one that is within so many percent passes',
      counts(1000, 0, 17),
      { metrics: [{ name: 'request-duration', intervalMs: 0, maxIncrease: 50 }] },
      'Passed',
    ],
    [
      'too small a share of the requests fails',
      counts(500),
      { metrics: [{ name: 'request-count', intervalMs: 0, maxDecrease: 20 }] },
      'Failed: request-count 500 is more than 20 % below the 1000 that are its share',
    ],
    [
      'a share has nothing to be compared with at 100 %',
      counts(500),
      { weight: 100, metrics: [{ name: 'request-count', intervalMs: 0, maxDecrease: 20 }] },
      'Passed',
    ],
  ])('%s', (_, next, more, expected) => {
    expect(judge(next, { metrics: [noWorse], ...more })).toBe(expected);
  });
});

describe('what a window came to', () => {
  test('names value, samples, what the value may be at best, and the odds', () => {
    const [result] = judgeRound(inputsOf(counts(10, 1))).metrics;
    expect(result).toMatchObject({ value: 90, samples: 10, verdict: 'InsufficientEvidence', evidenceNeeded: 400 });
    expect(result?.bound).toBeGreaterThan(99);
    expect(result?.evidence).toBeLessThan(400);
  });

  test('has the bound beyond the limit exactly when the window alone refutes it', () => {
    for (const failures of [20, 25, 30, 40, 60]) {
      const [result] = judgeRound(inputsOf(counts(1000, failures), { metrics: [success], window: 1 })).metrics;
      const refuted = (result?.bound ?? 100) <= 99;
      // In the first window the bet of the release is the same, and needs half the odds.
      if (refuted) expect(result?.verdict).toBe('Failed');
      if (result?.verdict !== 'Failed') expect(refuted).toBe(false);
    }
  });

  test('is evidence in the next: what is small and steady adds up', () => {
    let evidence: RoundInputs['evidence'] = [];
    const verdicts: string[] = [];
    for (let window = 1; window <= 12; window++) {
      const more: Partial<RoundInputs> = { window, evidence, metrics: [noWorse], stable: counts(4500, 9) };
      const alone = judgeRound(inputsOf(counts(500, 4), { ...more, evidence: [] }));
      expect(alone.verdict).not.toBe('Failed');
      const judgement = judgeRound(inputsOf(counts(500, 4), more));
      evidence = [...judgement.evidence];
      verdicts.push(judgement.verdict);
    }
    expect(verdicts).toContain('Failed');
  });

  test('is no evidence once more where it is told of the windows before', () => {
    const metrics = [noWorse];
    const first = judgeRound(inputsOf(counts(500, 4), { metrics, stable: counts(4500, 9) }));
    const more = { metrics, window: 2, evidence: [...first.evidence], weight: 100, stable: counts(0) };
    const { evidence } = judgeRound(inputsOf(counts(500, 4), { ...more, earlierStable: counts(4500, 9) }));
    expect(first.evidence).toHaveLength(2);
    for (const [index, { log, stableTotal, nextTotal }] of evidence.entries()) {
      expect([log, stableTotal, nextTotal]).toEqual([first.evidence[index]?.log, 4500, 1000]);
    }
  });

  test('needs the more evidence by itself the later it comes', () => {
    const needed = (window: number) => {
      // Of evidence for the revision the release has so much that this window alone decides.
      const evidence = judgeRound(inputsOf(counts(9000), { metrics: [success] })).evidence;
      const more = { metrics: [success], window, evidence: [...evidence] };
      return judgeRound(inputsOf(counts(1000, 60), more)).metrics[0]?.evidenceNeeded;
    };
    expect([1, 2, 3].map(needed)).toEqual([400, 1200, 2400]);
  });

  test('weighs down what a release has gathered no longer than its next windows need', () => {
    let evidence: RoundInputs['evidence'] = [];
    for (let window = 1; window <= 10; window++) {
      const more: Partial<RoundInputs> = { window, evidence, metrics: [noWorse], stable: counts(9000, 9) };
      evidence = [...judgeRound(inputsOf(counts(9000, 9), more)).evidence];
    }
    const more = { window: 11, evidence, metrics: [noWorse], stable: counts(1000, 1) };
    expect(judgeRound(inputsOf(counts(1000, 40), more)).verdict).toBe('Failed');
  });
});
