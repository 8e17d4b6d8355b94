import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AnalysisRound, analysisRound, type RevisionCounts, type RoundInputs } from '../../../api/canary-round.ts';
import { judgeRound } from './judge-round.ts';
import { replay } from './replay.ts';

const side = fc
  .record({
    requests: fc.nat(2000),
    share: fc.constantFrom(0, 0, 0.01, 0.02, 0.1, 1),
    ms: fc.constantFrom(5, 100, 250),
  })
  .map(({ requests, share, ms }) => ({
    requests,
    failures: Math.floor(requests * share),
    durations: requests > 0 ? [{ overMs: ms / 2, upToMs: ms, count: requests }] : [],
  }));
const counts: fc.Arbitrary<RevisionCounts> = fc.record({ callers: side, served: side });
const metrics = fc.subarray(
  [
    { name: 'request-success-rate', intervalMs: 5000, min: 99, maxDecrease: 0.5 },
    { name: 'request-duration', intervalMs: 5000, percentile: 90, max: 100, maxIncrease: 20 },
    { name: 'request-count', intervalMs: 5000, min: 5, maxDecrease: 50 },
    { name: 'queue', template: true, intervalMs: 9000, max: 10 },
  ],
  { minLength: 1 },
);
const window = fc.record({
  elapsedMs: fc.constantFrom(5000, 10_000, 20_000),
  weight: fc.constantFrom(5, 50, 100),
  complete: fc.constantFrom(true, true, true, false),
  reports: fc.constantFrom(true, true, false),
  next: counts,
  stable: counts,
  value: fc.option(fc.constantFrom(3, 30), { nil: undefined }),
});

test('recorded rounds, read back from their object, come to the same verdicts', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(metrics, fc.array(window, { minLength: 1, maxLength: 5 }), (judged, windows) => {
      const rounds: AnalysisRound[] = [];
      let evidence: RoundInputs['evidence'] = [];
      for (const [at, { value, ...one }] of windows.entries()) {
        const answers = value === undefined ? [] : [{ metric: 'queue', query: 'queue', value }];
        const more = { confidence: 99, minRequests: 10, metrics: judged, answers, evidence, window: at + 1 };
        const inputs: RoundInputs = { ...one, ...more };
        const { verdict, metrics: results, evidence: after } = judgeRound(inputs);
        seen.add(verdict);
        evidence = [...after];
        const time = '2026-01-01T00:00:00Z';
        rounds.push({ time, revision: 'r2', stableRevision: 'r1', step: 0, verdict, metrics: [...results], inputs });
      }
      const stored = rounds.map((round) => analysisRound.parse(JSON.parse(JSON.stringify(round))));
      expect(replay(stored).map(({ same }) => same)).toEqual(rounds.map(() => true));
    }),
    { numRuns: 60 },
  );
  expect(seen.size).toBeGreaterThanOrEqual(5);
});

test('a verdict that does not follow from what was recorded is told', () => {
  const all = { callers: { requests: 50, failures: 50 }, served: { requests: 50, failures: 50 } };
  const none = { callers: { requests: 500, failures: 0 }, served: { requests: 500, failures: 0 } };
  const inputs: RoundInputs = {
    elapsedMs: 5000,
    weight: 10,
    window: 1,
    confidence: 99,
    minRequests: 10,
    metrics: [],
    complete: true,
    reports: true,
    next: all,
    stable: none,
  };
  const round = { time: '', revision: 'r2', stableRevision: 'r1', step: 0, verdict: 'Passed' as const, inputs };
  expect(replay([round])).toMatchObject([{ recorded: 'Passed', same: false, judgement: { verdict: 'Failed' } }]);
});
