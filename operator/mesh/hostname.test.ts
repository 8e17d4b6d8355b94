import { describe, expect, test } from '@jest/globals';
import { coveringWildcards, resolveHostname } from './hostname.ts';
import { SETTINGS } from './testing/objects.ts';

describe('resolveHostname', () => {
  test.each([
    ['a short name is a Service of the namespace', 'reviews', 'reviews.shop.svc.cluster.local'],
    ['a name with a dot is a full one', 'reviews.prod', 'reviews.prod'],
    ['upper case is lower case', 'Reviews.Example.COM', 'reviews.example.com'],
    ['a final dot is dropped', 'example.com.', 'example.com'],
    ['a short name with a final dot is still short', 'reviews.', 'reviews.shop.svc.cluster.local'],
    ['the wildcard of all stays', '*', '*'],
    ['a wildcard stays', '*.example.com', '*.example.com'],
    ['an IPv6 address stays', 'fd00::1', 'fd00::1'],
    ['a name of the prototype is a name', 'constructor', 'constructor.shop.svc.cluster.local'],
  ])('%s', (_, host, resolved) => {
    expect(resolveHostname(SETTINGS, 'shop', host)).toBe(resolved);
  });
});

describe('coveringWildcards', () => {
  test('gives every wildcard that covers a name, the most specific first', () => {
    const all = [...coveringWildcards('a-eu.x.y')];
    expect(all.slice(0, 2)).toEqual(['*-eu.x.y', '*eu.x.y']);
    expect(all).toContain('*.x.y');
    expect(all.at(-1)).toBe('*');
  });

  test('a wildcard is covered by wider ones, and not by itself', () => {
    expect([...coveringWildcards('*.x.y')]).toContain('*.y');
    expect([...coveringWildcards('*.x.y')]).not.toContain('*.x.y');
  });
});
