import { describe, expect, test } from '@jest/globals';
import { blockList, mayReach } from './destination.ts';

const NONE = blockList([]);

describe('keys', () => {
  test.each(['10.0.0.1', '192.168.1.1', '203.0.113.7', '169.253.0.1', '2001:db8::1', 'fd00::1', '64:ff9b::cb00:7107'])(
    'may be fetched from %s',
    (address) => expect(mayReach(address, NONE)).toBe(true),
  );

  test.each([
    ...[
      '127.0.0.1',
      '127.255.0.1',
      '0.0.0.0',
      '0.1.2.3',
      '169.254.169.254',
      '169.254.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...['100.100.100.200', '168.63.129.16', '::', '::1', 'fe80::1', 'fe80::1%eth0', 'ff02::1', 'fd00:ec2::254'],
    ...['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1'],
    ...['0:0:0:0:0:ffff:7f00:1', '::ffff:0:7f00:1', 'localhost', ''],
  ])('may not be fetched from %s', (address) => {
    expect(mayReach(address, NONE)).toBe(false);
  });

  test('may be fetched from where settings say', () => {
    const allowed = blockList(['127.0.0.0/8', '169.254.10.1', 'fe80::/10']);
    expect(['127.0.0.1', '::ffff:127.0.0.1', '169.254.10.1', 'fe80::1'].map((one) => mayReach(one, allowed))).toEqual(
      Array(4).fill(true),
    );
    expect(mayReach('169.254.169.254', allowed)).toBe(false);
  });
});
