import { expect, test } from '@jest/globals';
import { among } from './rbac-logic.ts';

const words = {
  and: (terms: readonly string[]) => `(${terms.join(' and ')})`,
  or: (terms: readonly string[]) => `(${terms.join(' or ')})`,
  not: (term: string) => `not ${term}`,
};

test.each<[string[] | undefined, string[] | undefined, string[]]>([
  [
    ['a', 'b'],
    ['c', 'd'],
    ['(a or b)', 'not (c or d)'],
  ],
  [['a'], undefined, ['(a)']],
  [undefined, ['c', 'd'], ['not (c or d)']],
  [[], [], []],
])('one of %j and none of %j is %j', (values, others, terms) => {
  expect(among(words, values, others, (value) => value)).toEqual(terms);
});
