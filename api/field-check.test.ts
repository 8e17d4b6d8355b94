import { describe, expect, test } from '@jest/globals';
import { checkExportTo, Findings, isAddress, isDnsName, isHostOrWildcard, isSubnet } from './field-check.ts';

describe('A field', () => {
  test.each([
    [isDnsName, 'reviews', true],
    [isDnsName, 'Reviews.prod.svc.cluster.local.', true],
    [isDnsName, 'a..b', false],
    [isDnsName, '10.0.0.1', false],
    [isDnsName, '-a', false],
    [isDnsName, `${'a'.repeat(64)}.b`, false],
    [isDnsName, 'a.'.repeat(128), false],
    [isHostOrWildcard, '*', true],
    [isHostOrWildcard, '*.shop.example', true],
    [isHostOrWildcard, '*-eu.shop.example', true],
    [isHostOrWildcard, 'a*.shop.example', false],
    [isHostOrWildcard, '*.', false],
    [isHostOrWildcard, '**.a', false],
    [isAddress, '10.0.0.1', true],
    [isAddress, '10.0.0.256', false],
    [isAddress, '10.0.0.01', false],
    [isAddress, '2001:db8::1', true],
    [isAddress, '::ffff:10.0.0.1', true],
    [isAddress, '2001:db8::1::2', false],
    [isAddress, '::1]:80/[', false],
    [isSubnet, '10.0.0.0/8', true],
    [isSubnet, '10.0.0.0/33', false],
    [isSubnet, '2001:db8::/128', true],
    [isSubnet, '10.0.0.0/8/8', false],
    [isSubnet, '10.0.0.0/', false],
  ])('%p of %s is %s', (is, text, expected) => {
    expect(is(text)).toBe(expected);
  });

  test.each([
    [['.'], false, 0],
    [['a', 'b'], false, 0],
    [['~'], true, 0],
    [['~'], false, 1],
    [['~', 'a'], true, 1],
    [['*', 'a'], false, 1],
    [['a', 'a'], false, 1],
  ])('exportTo %j, nobody allowed: %s, has %d errors', (exportTo, mayBeNone, count) => {
    const found = new Findings();
    checkExportTo(found, exportTo, mayBeNone);
    expect(found.errors).toHaveLength(count);
  });
});
