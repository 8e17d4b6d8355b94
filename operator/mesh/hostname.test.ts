import { describe, expect, test } from '@jest/globals';
import { coveringHosts, coversHostname, isWildcard, namespaceOfHostname, resolveHostname } from './hostname.ts';
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

describe('coversHostname', () => {
  test.each([
    ['the same name', 'a.x', 'a.x', true],
    ['another name', 'a.x', 'b.x', false],
    ['a wildcard and a name under it', '*.x', 'a.x', true],
    ['a wildcard that begins within a label', '*-eu.x', 'shop-eu.x', true],
    ['a wildcard and a narrower one', '*.x', '*.a.x', true],
    ['a wildcard and a wider one', '*.a.x', '*.x', false],
    ['the wildcard of all', '*', 'a.x', true],
  ])('%s', (_, host, hostname, covers) => {
    expect(coversHostname(host, hostname)).toBe(covers);
    expect(isWildcard(host)).toBe(host.startsWith('*'));
  });
});

describe('namespaceOfHostname', () => {
  test.each([
    ['a Service has one', 'a.shop.svc.cluster.local', 'shop'],
    ['other hosts have none', 'a.shop', undefined],
    ['a wildcard has none', '*.shop.svc.cluster.local', undefined],
    ['a name in a Service has none', 'pod.a.shop.svc.cluster.local', undefined],
  ])('%s', (_, hostname, namespace) => {
    expect(namespaceOfHostname(SETTINGS, hostname)).toBe(namespace);
  });
});

describe('coveringHosts', () => {
  test('gives the name and every wildcard that covers it, the most specific first', () => {
    const all = [...coveringHosts('a-eu.x.y')];
    expect(all.slice(0, 3)).toEqual(['a-eu.x.y', '*-eu.x.y', '*eu.x.y']);
    expect(all).toContain('*.x.y');
    expect(all.at(-1)).toBe('*');
    for (const host of all) expect(coversHostname(host, 'a-eu.x.y')).toBe(true);
  });

  test('gives each but once for a wildcard', () => {
    const all = [...coveringHosts('*.x.y')];
    expect(new Set(all).size).toBe(all.length);
    expect(all).toContain('*.y');
  });
});
