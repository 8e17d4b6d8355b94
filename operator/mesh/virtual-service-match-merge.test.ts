import { describe, expect, test } from '@jest/globals';
import type { HttpMatch as HttpMatchSpec } from '../../api/http-match.ts';
import { readHttpMatch } from './virtual-service-match.ts';
import { mergeMatches } from './virtual-service-match-merge.ts';

const merge = (root: HttpMatchSpec[], delegate: HttpMatchSpec[]) =>
  mergeMatches(root.map(readHttpMatch), delegate.map(readHttpMatch));

const prefix = (text: string) => ({ uri: { prefix: text } });

describe('matches of a rule that delegates and of the delegate', () => {
  test.each<[string, HttpMatchSpec[], HttpMatchSpec[], HttpMatchSpec[]]>([
    ['without any in the root, those of the delegate', [], [prefix('/a')], [prefix('/a')]],
    ['without any in the delegate, those of the root', [prefix('/a')], [], [prefix('/a')]],
    ['a longer prefix is narrower', [prefix('/a')], [prefix('/a/b')], [prefix('/a/b')]],
    [
      'an exact path is narrower than its prefix',
      [prefix('/a')],
      [{ uri: { exact: '/a/b' } }],
      [{ uri: { exact: '/a/b' } }],
    ],
    [
      'equal ones are one',
      [{ method: { exact: 'GET' } }],
      [{ method: { exact: 'GET' } }],
      [{ method: { exact: 'GET' } }],
    ],
    [
      'conditions on other things are both',
      [{ ...prefix('/a'), headers: { a: { exact: '1' } }, port: 80 }],
      [{ method: { exact: 'GET' }, headers: { b: {} } }],
      [{ ...prefix('/a'), method: { exact: 'GET' }, headers: { a: { exact: '1' }, b: {} }, port: 80 }],
    ],
    [
      'a value is narrower than presence',
      [{ headers: { a: {} }, queryParams: { q: {} } }],
      [{ headers: { a: { exact: '1' } }, queryParams: { q: { prefix: 'x' } } }],
      [{ headers: { a: { exact: '1' } }, queryParams: { q: { prefix: 'x' } } }],
    ],
    [
      'what must not be there stays that of both',
      [{ withoutHeaders: { a: { prefix: 'x' }, b: {} } }],
      [{ withoutHeaders: { c: { exact: 'y' }, b: {} } }],
      [{ withoutHeaders: { a: { prefix: 'x' }, b: {}, c: { exact: 'y' } } }],
    ],
    [
      'callers are those of both',
      [{ sourceNamespace: 'shop', sourceLabels: { a: '1' } }],
      [{ sourceLabels: { b: '2', constructor: 'c' } }],
      [{ sourceNamespace: 'shop', sourceLabels: { a: '1', b: '2', constructor: 'c' } }],
    ],
    [
      'each of the delegate is paired with each of the root that it is narrower than',
      [prefix('/a'), prefix('/b'), { method: { exact: 'GET' } }],
      [prefix('/a/x'), prefix('/b/y')],
      [
        prefix('/a/x'),
        { ...prefix('/a/x'), method: { exact: 'GET' } },
        prefix('/b/y'),
        { ...prefix('/b/y'), method: { exact: 'GET' } },
      ],
    ],
    [
      'case counts as where the path is',
      [{ ...prefix('/a'), ignoreUriCase: true }],
      [{ port: 80 }],
      [{ ...prefix('/a'), ignoreUriCase: true, port: 80 }],
    ],
  ])('%s', (_, root, delegate, merged) => {
    expect(merge(root, delegate)).toEqual(merged.map(readHttpMatch));
  });

  test('a header that must not have either of two values is there twice', () => {
    const merged = merge([{ withoutHeaders: { a: { exact: '1' } } }], [{ withoutHeaders: { a: { exact: '2' } } }]);
    expect(merged?.[0]?.withoutHeaders.map(({ name, value }) => [name, value?.value])).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
  });

  test.each<[string, HttpMatchSpec, HttpMatchSpec]>([
    ['another path', prefix('/a'), prefix('/b')],
    ['a wider prefix', prefix('/a/b'), prefix('/a')],
    ['a prefix where the root is exact', { uri: { exact: '/a' } }, prefix('/a')],
    ['a regular expression', prefix('/a'), { uri: { regex: '/a.*' } }],
    ['another value of a header', { headers: { a: { exact: '1' } } }, { headers: { a: { exact: '2' } } }],
    ['presence where the root has a value', { headers: { a: { exact: '1' } } }, { headers: { a: {} } }],
    ['another query parameter', { queryParams: { q: { exact: '1' } } }, { queryParams: { q: { exact: '2' } } }],
    ['another port', { port: 80 }, { port: 81 }],
    ['other labels of the caller', { sourceLabels: { a: '1' } }, { sourceLabels: { a: '2' } }],
    ['another namespace of the caller', { sourceNamespace: 'a' }, { sourceNamespace: 'b' }],
    ['another regard to case', { ...prefix('/a'), ignoreUriCase: true }, prefix('/a')],
  ])('contradict each other with %s', (_, root, delegate) => {
    expect(merge([root], [delegate])).toBeUndefined();
    expect(merge([root], [delegate, {}])).toBeUndefined();
  });
});
