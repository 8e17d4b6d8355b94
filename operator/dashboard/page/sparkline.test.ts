import { expect, test } from '@jest/globals';
import { niceTop } from './chart.ts';
import { highest, pathsOf } from './sparkline.ts';

test('a line has a gap where nothing is known', () => {
  const { line } = pathsOf([0, 10, null, 5, 5], 40, 10, 10);
  expect(line).toBe('M0 10L10 0M30 5L40 5');
});

test('a point alone is seen', () => {
  expect(pathsOf([null, 4, null], 20, 10, 8).line).toBe('M10 5h1.5');
});

test('the highest of nothing is not zero', () => {
  expect(highest([null, null])).toBeUndefined();
  expect(highest([null, 0])).toBe(0);
});

test('a scale ends at 1, 2 or 5', () => {
  expect([0, 0.3, 1, 1.1, 42, 180, 700].map(niceTop)).toEqual([1, 0.5, 1, 2, 50, 200, 1000]);
});
