import { describe, expect, test } from '@jest/globals';
import { Map as PersistentMap } from 'immutable';
import { MapDraft } from './map-draft.ts';

const BASE = PersistentMap({ a: 1, b: 2 });

describe('MapDraft', () => {
  test('keeps account of what was added, changed and removed', () => {
    const draft = new MapDraft(BASE);
    draft.put('a', undefined);
    draft.put('b', 3);
    draft.put('c', 4);
    expect([...draft.changed]).toEqual(['a', 'b', 'c']);
    expect(draft.finish().toObject()).toEqual({ b: 3, c: 4 });
    expect(BASE.toObject()).toEqual({ a: 1, b: 2 });
  });

  test('takes what is put last of a key', () => {
    const draft = new MapDraft(BASE);
    draft.put('a', undefined);
    draft.put('b', 3);
    draft.put('a', 5);
    expect(draft.finish().toObject()).toEqual({ a: 5, b: 3 });
  });

  test('gives the very same map when all is as it was in the end', () => {
    const draft = new MapDraft(BASE);
    draft.put('a', undefined);
    draft.put('c', 4);
    draft.put('c', undefined);
    draft.put('a', 1);
    expect(draft.changed.size).toBe(0);
    expect(draft.get('a')).toBe(1);
    expect(draft.finish()).toBe(BASE);
    draft.put('b', 3);
    expect(draft.finish().toObject()).toEqual({ a: 1, b: 3 });
  });
});
