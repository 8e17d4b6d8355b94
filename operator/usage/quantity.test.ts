import { expect, test } from '@jest/globals';
import { readQuantity } from './quantity.ts';

test.each([
  ['12345678n', 0.012345678],
  ['250m', 0.25],
  ['7u', 0.000007],
  ['2', 2],
  [2, 2],
  ['0', 0],
  ['0.5', 0.5],
  ['.5', 0.5],
  ['1.', 1],
  ['+3', 3],
  ['1Ki', 1024],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['5k', 5000],
  ['3E', 3e18],
  ['1e3', 1000],
  ['1E3', 1000],
  ['12e-1', 1.2],
])('%j is %d', (text, value) => {
  expect(readQuantity(text)).toBeCloseTo(value, 12);
});

test.each([
  '',
  ' ',
  'abc',
  'NaN',
  'Infinity',
  '-1',
  '-5m',
  '1 Gi',
  '1gi',
  '5K',
  '0x10',
  '1e',
  '1e999',
  '1,5',
  '1.2.3',
  'Ki',
  '9'.repeat(400),
  undefined,
  null,
  {},
  [],
  true,
])('%j is no quantity', (text) => {
  expect(readQuantity(text)).toBeUndefined();
});
