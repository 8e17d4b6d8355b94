import { describe, expect, test } from '@jest/globals';
import { readResolvers } from './dns-redirect.ts';
import { buildRedirectRules, REDIRECT_DEFAULTS, type RedirectOptions } from './redirect.ts';

const RESOLVER = '10.96.0.10';
const CAPTURE = { captureDnsOutside: 'cluster.local' };
const TYPES = { A: 1, TXT: 16, AAAA: 28, SRV: 33 } as const;
/** An EDNS option record, as newer resolvers add it; with a cookie. */
const EDNS = Buffer.from('00002904d000000000000c000a00080102030405060708', 'hex');

const rulesOf = (options: Partial<RedirectOptions>, resolvers: readonly string[] = [RESOLVER]): string =>
  buildRedirectRules({ ...REDIRECT_DEFAULTS, ...options }, resolvers);

function chainOf(rules: string, name: string): string[] {
  const body = new RegExp(`chain ${name} {\n([^}]*(?:{[^}]*}[^}]*)*?)\n  }`).exec(rules)?.[1] ?? '';
  return body.split('\n').map((line) => line.trim());
}

/** A datagram from its UDP header on. */
function datagram(name: string, type: keyof typeof TYPES, more = Buffer.alloc(0)): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, more.length > 0 ? 1 : 0]);
  return Buffer.concat([Buffer.alloc(8), header, ...labels, Buffer.from([0, 0, TYPES[type], 0, 1]), more]);
}

/** What the kernel makes of the rules on payload. */
function isCaptured(message: Buffer, domain = 'cluster.local'): boolean {
  for (const rule of chainOf(rulesOf({ captureDnsOutside: domain }), 'dns-question')) {
    const terms = [...rule.matchAll(/@th,(\d+),(\d+) 0x([0-9a-f]+)/g)];
    expect(terms.length).toBeGreaterThan(0);
    const matches = terms.every(([, offset, length, hex = '']) => {
      const [start, bytes] = [Number(offset) / 8, Number(length) / 8];
      // The kernel takes a byte for where to look and 16 bytes to compare; past the end of a datagram nothing matches.
      expect(start).toBeLessThanOrEqual(255);
      expect(bytes).toBeLessThanOrEqual(16);
      expect(hex).toHaveLength(bytes * 2);
      return message.subarray(start, start + bytes).toString('hex') === hex;
    });
    if (matches) return rule.includes('ct zone set');
  }
  return false;
}

const LONG = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(56)).join('.');

describe('captured questions', () => {
  test.each([
    ['a name', datagram('made-up.example', 'A')],
    ['a single letter', datagram('a', 'A')],
    ['a name with EDNS options', datagram('made-up.example', 'A', EDNS)],
    ['a very long name', datagram(LONG, 'A', EDNS)],
    ['a name that merely ends like the domain', datagram('notcluster.local', 'A')],
    ['a name in a search domain of the node', datagram('made-up.example.compute.internal', 'A')],
  ])('are those for the IPv4 address of %s', (_, message) => {
    expect(isCaptured(message)).toBe(true);
  });

  test.each([
    ['for IPv6 addresses', datagram('made-up.example', 'AAAA', EDNS)],
    ['for anything else', datagram('_http._tcp.made-up.example', 'SRV')],
    ['of text', datagram('made-up.example', 'TXT')],
    ['about Services', datagram('ordering.shop.svc.cluster.local', 'A', EDNS)],
    ['in a search domain of the cluster', datagram('made-up.example.shop.svc.cluster.local', 'A')],
    ['about the domain itself', datagram('cluster.local', 'A')],
    ['that are cut off', datagram('made-up.example', 'A').subarray(0, 30)],
    ['that are empty', Buffer.alloc(8)],
  ])('are not those %s', (_, message) => {
    expect(isCaptured(message)).toBe(false);
  });

  test('know cluster domains of any length', () => {
    const domain = 'a-very-long-name-of-a-cluster.somewhere.example';
    expect(isCaptured(datagram(`ordering.shop.svc.${domain}`, 'A'), domain)).toBe(false);
    expect(isCaptured(datagram('ordering.shop.svc.somewhere.example', 'A'), domain)).toBe(true);
    expect(isCaptured(datagram('x.k8s', 'A'), 'k8s')).toBe(false);
  });
});

describe('the rules for captured questions', () => {
  test('are none by default, and without a resolver', () => {
    expect(rulesOf({})).not.toContain('udp');
    expect(rulesOf(CAPTURE, [])).toBe(rulesOf({}));
  });

  test('look at datagrams to the resolvers alone, and at none of the sidecar', () => {
    expect(chainOf(rulesOf(CAPTURE, [RESOLVER, 'fd00::10']), 'dns')).toEqual([
      'type filter hook output priority -300; policy accept;',
      'meta l4proto != udp return',
      'oifname "lo" meta skuid 1337 udp sport 15053 ct zone set 15053 return',
      'udp dport != { 53 } return',
      'meta skuid 1337 return',
      'oifname "lo" return',
      `ip daddr ${RESOLVER} jump dns-question`,
      'ip6 daddr fd00::10 jump dns-question',
    ]);
  });

  test('redirect the zone before anything else returns', () => {
    expect(chainOf(rulesOf(CAPTURE), 'outbound').slice(1, 3)).toEqual([
      'ct zone 15053 meta l4proto udp redirect to :15053',
      'meta l4proto != tcp return',
    ]);
  });

  test('define a chain before others jump to it', () => {
    const rules = rulesOf(CAPTURE);
    expect(rules.indexOf('chain dns-question')).toBeLessThan(rules.indexOf('jump dns-question'));
  });

  test('leave alone what is excluded from redirection', () => {
    expect(rulesOf({ ...CAPTURE, excludeOutboundPorts: [53] })).not.toContain('udp');
    const rules = rulesOf({ ...CAPTURE, excludeInterfaces: ['net1'], excludeOutboundRanges: ['10.96.0.0/12'] });
    expect(chainOf(rules, 'dns').slice(-3)).toEqual([
      'oifname { "net1" } return',
      'ip daddr 10.96.0.0/12 return',
      `ip daddr ${RESOLVER} jump dns-question`,
    ]);
  });
});

describe('readResolvers', () => {
  test.each<[string, string, string[]]>([
    [
      'every nameserver once',
      'nameserver 10.96.0.10\n nameserver\tfd00::10 \nnameserver 10.96.0.10\n',
      ['10.96.0.10', 'fd00::10'],
    ],
    [
      'nothing of comments and other lines',
      '# nameserver 1.1.1.1\nsearch nameserver\noptions ndots:5\nnameservers 1.1.1.1',
      [],
    ],
    ['no loopback and no scope', 'nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver x', []],
    ['nothing of an empty file', '', []],
  ])('gives %s', (_, text, expected) => {
    expect(readResolvers(text)).toEqual(expected);
  });
});
