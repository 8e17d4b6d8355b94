import { describe, expect, test } from '@jest/globals';
import { figuresOf } from './figures.ts';
import { traffic } from './observation.fixture.ts';

describe('the figures of a window', () => {
  test.each([
    [
      'show the worse side',
      { ...traffic(1000, 1, 12.4), served: traffic(990, 0, 11).served },
      { successRate: '99.9%', p99: '12ms', requests: 1000 },
    ],
    ['never round up to 100 %', traffic(10_000, 4, 3.26), { successRate: '99.9%', p99: '3.2ms', requests: 10_000 }],
    ['have nothing to show without requests', traffic(0), { requests: 0 }],
  ])('%s', (_, answer, expected) => {
    expect(figuresOf(answer)).toEqual(expected);
  });
});
