import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { commonRanges, inRange, readRange } from './address-range.ts';

describe('commonRanges', () => {
  test.each<[string, string[], string[]]>([
    ['nothing of nothing', [], []],
    ['one address', ['10.96.0.7'], ['10.96.0.7/32']],
    ['neighbours', ['10.96.0.4', '10.96.0.7'], ['10.96.0.4/30']],
    ['a Service network', ['10.96.0.1', '10.111.200.3', '10.96.0.10'], ['10.96.0.0/12']],
    ['too far apart', ['10.0.0.1', '192.168.0.1'], []],
    ['both families', ['fd00:10:96::a', '10.96.0.1', 'fd00:10:96::b'], ['10.96.0.1/32', 'fd00:10:96:0:0:0:0:a/127']],
    ['what is no address', ['None', '', '1.2.3', '1.2.3.400', '1:2', '10.96.0.1'], ['10.96.0.1/32']],
  ])('%s', (_, addresses, expected) => {
    expect(commonRanges(addresses).map(({ prefix, length }) => `${prefix}/${length}`)).toEqual(expected);
  });

  test('holds every address it was made from, in any order', () => {
    const addresses = fc.array(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6().filter((ip) => !ip.includes('.')),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(addresses, (list) => {
        const ranges = commonRanges(list);
        expect(commonRanges([...list].reverse())).toEqual(ranges);
        for (const family of [':', '.']) {
          const range = ranges.find(({ prefix }) => prefix.includes(family));
          for (const ip of list) if (range && ip.includes(family)) expect(inRange(ip, range)).toBe(true);
        }
      }),
    );
  });
});

test.each<[string, object | undefined]>([
  ['10.0.0.0/8', { prefix: '10.0.0.0', length: 8 }],
  ['0.0.0.0/0', { prefix: '0.0.0.0', length: 0 }],
  ['10.0.0.1', { prefix: '10.0.0.1', length: 32 }],
  ['fd00::/8', { prefix: 'fd00::', length: 8 }],
  ['fd00::1', { prefix: 'fd00::1', length: 128 }],
  ['10.0.0.0/33', undefined],
  ['10.0.0.0/', undefined],
  ['10.0.0.0/8/8', undefined],
  ['10.0.0.0/-1', undefined],
  ['name', undefined],
])('%s is read as a block', (text, expected) => {
  expect(readRange(text)).toEqual(expected);
});
