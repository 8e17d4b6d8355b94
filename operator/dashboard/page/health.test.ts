import { expect, test } from '@jest/globals';
import { failedShare, flagsInWords, fullest, severity, sumOf } from './health.ts';

const golden = (requests: number, failures: number, p99Ms?: number) => ({
  requests,
  failures,
  perSecond: requests / 60,
  ...(p99Ms === undefined ? {} : { p99Ms }),
});

test('calls stand out from one in a hundred that fails', () => {
  expect([golden(1000, 10), golden(1000, 9), golden(1000, 0), golden(0, 0), undefined].map(severity)).toEqual([
    'bad',
    'some',
    'good',
    'quiet',
    'quiet',
  ]);
  expect(failedShare(golden(0, 0))).toBeUndefined();
});

test('several are summed, and percentiles are those of the slowest', () => {
  expect(sumOf([golden(60, 6, 40), golden(120, 0)])).toEqual({ requests: 180, failures: 6, perSecond: 3, p99Ms: 40 });
  expect(sumOf([golden(60, 0)]).p99Ms).toBeUndefined();
});

test('the fullest is told from what is known', () => {
  expect(fullest({ cpuShare: 0.2, memoryShare: 0.9 })).toEqual({ of: 'memory', share: 0.9 });
  expect(fullest({ cpuShare: 0.2 })).toEqual({ of: 'CPU', share: 0.2 });
  expect(fullest({ cpuShare: 0.2, poolShare: 1 })).toEqual({ of: 'pool', share: 1 });
  const level = { now: 1 };
  const ownPool = { connections: level, active: level, pending: level, share: 0.9 };
  expect(fullest({ cpuShare: 0.2, poolShare: 0.5, ownPool })).toEqual({ of: 'inbound pool', share: 0.9 });
  expect(fullest({ memoryBytes: 5 })).toBeUndefined();
  expect(fullest(undefined)).toBeUndefined();
});

test("Envoy's flags are told in words", () => {
  expect(flagsInWords('UF,URX')).toBe('no connection to the server could be made; all tries failed');
  expect([flagsInWords('-'), flagsInWords('NEW')]).toEqual([undefined, undefined]);
});
