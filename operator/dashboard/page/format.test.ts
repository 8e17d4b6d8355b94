import { expect, test } from '@jest/globals';
import { bytes, count, millis, percent, plural, rate, span } from './format.ts';

test('what is not known is no figure', () => {
  for (const format of [count, rate, percent, millis, bytes, span]) {
    expect([format(undefined), format(null), format(Number.NaN)]).toEqual([undefined, undefined, undefined]);
  }
});

test('figures have three digits, and zero is zero', () => {
  expect([0, 0.254, 12.34, 123.4, 999, 1234, 45_678, 2.5e6].map(count)).toEqual([
    '0',
    '0.25',
    '12.3',
    '123',
    '999',
    '1.23k',
    '45.7k',
    '2.5M',
  ]);
  expect(rate(4100)).toBe('4.1k/s');
});

test('a share that is more than nothing is never nothing, and one below all never all', () => {
  expect([0, 0.000_02, 0.004, 0.0996, 0.118, 0.995, 0.999_99, 1].map(percent)).toEqual([
    '0%',
    '<0.1%',
    '0.4%',
    '10%',
    '12%',
    '99.5%',
    '>99.9%',
    '100%',
  ]);
});

test('times and sizes take the unit that fits', () => {
  expect([0.8, 23, 999.6, 1234, 180_000].map(millis)).toEqual(['0.8 ms', '23 ms', '1 s', '1.23 s', '3 min']);
  expect([512, 2048, 95.4 * 1024 ** 2, 3 * 1024 ** 3].map(bytes)).toEqual(['512 B', '2 KiB', '95.4 MiB', '3 GiB']);
  expect([8000, 300_000, 3 * 3_600_000, 12 * 86_400_000].map(span)).toEqual(['8 s', '5 min', '3 h', '12 d']);
  expect([plural(1, 'policy', 'policies'), plural(2, 'policy', 'policies')]).toEqual(['1 policy', '2 policies']);
});
