import { describe, expect, test } from '@jest/globals';
import { SortedGroup } from './sorted-group.ts';

const item = (key: string, age: number) => ({ key, age });

describe('a sorted group', () => {
  test('is in order, whatever the order of arrival', () => {
    const group = new SortedGroup<ReturnType<typeof item>>((a, b) => a.age - b.age);
    group.put(item('b', 2));
    group.put(item('a', 3));
    expect(group.list.map(({ key }) => key)).toEqual(['b', 'a']);
    group.put(item('c', 1));
    expect(group.list.map(({ key }) => key)).toEqual(['c', 'b', 'a']);
    group.put(item('a', 0));
    group.delete('b');
    expect(group.list.map(({ key }) => key)).toEqual(['a', 'c']);
    expect(group.size).toBe(2);
  });
});
