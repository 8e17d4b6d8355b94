import { describe, expect, test } from '@jest/globals';
import type { TrafficAnswer } from '../telemetry/traffic.ts';
import { specOf, traffic } from './observation.fixture.ts';
import { figuresOf, judgeWindow } from './verdict.ts';

const success = { name: 'request-success-rate', thresholdRange: { min: 99 } };
const duration = { name: 'request-duration', thresholdRange: { max: 500 } };
const silent = { requests: 0, failures: 0, p99Ms: undefined, reporters: 0 };

function judge(answer: TrafficAnswer, metrics: object[] = [success, duration], elapsedMs = 20_000): string {
  const verdict = judgeWindow(specOf({ metrics }).analysis, answer, elapsedMs);
  return 'message' in verdict ? `${verdict.kind}: ${verdict.message}` : verdict.kind;
}

/** What callers saw, and what was served, where they differ. */
function sides(callers: TrafficAnswer, served: TrafficAnswer): TrafficAnswer {
  return { callers: callers.callers, served: served.served, complete: true };
}

describe('a window', () => {
  test.each([
    ['passes with every metric in its range', traffic(1000, 10), 'Passed'],
    ['fails below the success rate', traffic(1000, 11), 'Failed: request-success-rate 98.9 % is below 99 %'],
    ['fails above the duration', traffic(1000, 0, 501), 'Failed: request-duration 501 ms is above 500 ms'],
    [
      'fails for requests that never arrived, which only callers see',
      sides(traffic(100, 50), traffic(50)),
      'Failed: request-success-rate 50 % is below 99 %',
    ],
    [
      'fails for answers that are bad on the served side only',
      sides(traffic(100), traffic(100, 2)),
      'Failed: request-success-rate 98 % is below 99 %',
    ],
    ['passes over one bad answer on a side that saw too few to tell', sides(traffic(100), traffic(2, 1)), 'Passed'],
    [
      'says nothing with too few requests',
      traffic(9, 9),
      'InsufficientTraffic: callers sent 9 of the 10 requests a check needs',
    ],
    [
      'says nothing while counts are missing',
      { ...traffic(1000, 1000), complete: false },
      'IncompleteMetrics: the counts of some proxies are missing or old',
    ],
    [
      'names the pods whose counts are missing',
      { ...traffic(1000), complete: false, missing: ['shop/a', 'shop/b'] },
      'IncompleteMetrics: the sidecars of pods shop/a, shop/b do not report to the leading operator, so their counts are missing',
    ],
    [
      'fails when the counters of the revision have vanished',
      { ...traffic(100), served: silent },
      "Failed: the counters of the revision's own sidecars have vanished",
    ],
  ])('%s', (_, answer, expected) => {
    expect(judge(answer)).toBe(expected);
  });

  test('does not take the silence of a short window for vanished counters', () => {
    expect(judge({ ...traffic(100), served: silent }, [success], 8000)).toMatch(/^IncompleteMetrics/);
  });

  test('is held to a success rate of 99 % when no metric is given', () => {
    expect(judge(traffic(1000, 11), [])).toMatch(/^Failed/);
    expect(judge(traffic(1000, 10, 9999), [])).toBe('Passed');
  });
});

describe('the figures of a window', () => {
  test.each([
    [
      'show the worse side',
      sides(traffic(1000, 1, 12.4), traffic(990, 0, 11)),
      { successRate: '99.9%', p99: '12ms', requests: 1000 },
    ],
    ['never round up to 100 %', traffic(10_000, 4, 3.26), { successRate: '99.9%', p99: '3.2ms', requests: 10_000 }],
    ['have nothing to show without requests', traffic(0), { requests: 0 }],
  ])('%s', (_, answer, expected) => {
    expect(figuresOf(answer)).toEqual(expected);
  });
});
