import { expect, test } from '@jest/globals';
import { nearest } from './nearest.ts';

const NAMES = ['ordering', 'ordering-7d9f-x2', 'inventory', 'ui'];

test.each([
  ['odering', ['ordering']],
  ['order', ['ordering', 'ordering-7d9f-x2']],
  ['ordering-7d9f-x3', ['ordering', 'ordering-7d9f-x2']],
  ['UI', ['ui']],
  ['payments', []],
])('%s is like', (wanted, names) => {
  expect(nearest(wanted, NAMES)).toEqual(names);
});
