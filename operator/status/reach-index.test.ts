import { describe, expect, test } from '@jest/globals';
import { ReachIndex } from './reach-index.ts';

describe('items by the namespaces that they reach', () => {
  test('are found from each of these, those that reach all from any', () => {
    const index = new ReachIndex<string>();
    index.put('all', '*');
    index.put('two', ['a', 'b']);
    index.put('none', []);
    expect([index.reaching('a'), index.reaching('b'), index.reaching('c')]).toEqual([
      ['all', 'two'],
      ['all', 'two'],
      ['all'],
    ]);
  });

  test('are found no more where they reached before', () => {
    const index = new ReachIndex<string>();
    index.put('x', ['a', 'constructor']);
    index.put('x', ['b']);
    index.put('y', '*');
    index.delete('y');
    expect([index.reaching('a'), index.reaching('constructor'), index.reaching('b')]).toEqual([[], [], ['x']]);
  });
});
