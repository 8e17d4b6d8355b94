import { describe, expect, test } from '@jest/globals';
import { labelSelector, matchesLabels } from './label-selector.ts';

const matches = (selector: object, labels: Record<string, string>) =>
  matchesLabels(labelSelector.parse(selector), labels);
const expression = (operator: string, ...values: string[]) => ({
  matchExpressions: [{ key: 'team', operator, ...(values.length > 0 ? { values } : {}) }],
});

describe('matchesLabels', () => {
  test.each<[object, Record<string, string>, boolean]>([
    [{}, {}, true],
    [{}, { team: 'a' }, true],
    [{ matchLabels: { team: 'a' } }, { team: 'a', tier: 'x' }, true],
    [{ matchLabels: { team: 'a' } }, { team: 'b' }, false],
    [{ matchLabels: { team: 'a', tier: 'x' } }, { team: 'a' }, false],
    [{ matchLabels: { team: '' } }, {}, false],
    [expression('In', 'a', 'b'), { team: 'b' }, true],
    [expression('In', 'a', 'b'), { team: 'c' }, false],
    [expression('In', 'a', 'b'), {}, false],
    [expression('NotIn', 'a'), { team: 'b' }, true],
    [expression('NotIn', 'a'), { team: 'a' }, false],
    [expression('NotIn', 'a'), {}, true],
    [expression('Exists'), { team: '' }, true],
    [expression('Exists'), {}, false],
    [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {}, false],
    [expression('DoesNotExist'), {}, true],
    [expression('DoesNotExist'), { team: 'a' }, false],
    [{ matchLabels: { tier: 'x' }, ...expression('Exists') }, { team: 'a' }, false],
    [{ matchLabels: { tier: 'x' }, ...expression('Exists') }, { team: 'a', tier: 'x' }, true],
  ])('%j on %j gives %s', (selector, labels, expected) => {
    expect(matches(selector, labels)).toBe(expected);
  });
});

describe('labelSelector', () => {
  test.each(['team', 'example.com/team', 'a_b.c-d', `a.b/${'x'.repeat(63)}`])('takes the key %s', (key) => {
    expect(labelSelector.safeParse({ matchLabels: { [key]: '' } }).success).toBe(true);
  });

  test.each(['', '/team', 'example.com/', 'Example.com/team', 'a/b/c', '-team', 'te am', 'x'.repeat(64)])(
    'refuses the key "%s"',
    (key) => {
      expect(labelSelector.safeParse({ matchLabels: { [key]: 'a' } }).success).toBe(false);
    },
  );

  test.each(['-a', 'a b', 'a/b', 'x'.repeat(64)])('refuses the value "%s"', (value) => {
    expect(labelSelector.safeParse({ matchLabels: { team: value } }).success).toBe(false);
    expect(labelSelector.safeParse(expression('In', value)).success).toBe(false);
  });
});
