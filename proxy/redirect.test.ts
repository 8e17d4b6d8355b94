import { describe, expect, test } from '@jest/globals';
import { PROXY_DEFAULTS } from './options.ts';
import { buildRedirectRules, type RedirectOptions } from './redirect.ts';
import { formatRedirectOptions, parseRedirectOptions } from './redirect-options.ts';

const rules = (options: Partial<RedirectOptions> = {}) => buildRedirectRules({ ...PROXY_DEFAULTS, ...options });

describe('buildRedirectRules', () => {
  test('redirects all TCP by default, and nothing of the sidecar, of loopback, or of UDP', () => {
    expect(rules()).toBe(`add table inet heddle
delete table inet heddle
table inet heddle {
  chain inbound {
    type nat hook prerouting priority -100; policy accept;
    meta l4proto != tcp return
    tcp dport { 15020, 15021, 15090 } return
    meta l4proto tcp redirect to :15006
  }
  chain outbound {
    type nat hook output priority -100; policy accept;
    meta l4proto != tcp return
    oifname "lo" ip saddr 127.0.0.6 return
    oifname "lo" ip6 saddr ::1 return
    oifname "lo" meta skuid 1337 ip daddr != 127.0.0.0/8 meta l4proto tcp redirect to :15006
    oifname "lo" meta skuid 1337 ip6 daddr != ::1 meta l4proto tcp redirect to :15006
    meta skuid 1337 return
    oifname "lo" return
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    tcp dport { 15020, 15021, 15090 } return
    meta l4proto tcp redirect to :15001
  }
}
`);
  });

  test.each<[string, Partial<RedirectOptions>, string]>([
    [
      'only the named inbound ports',
      { includeInboundPorts: [80, 90] },
      'tcp dport { 80, 90 } meta l4proto tcp redirect to :15006',
    ],
    ['inbound without the excluded ports', { excludeInboundPorts: [90, 80, 80] }, 'tcp dport { 80, 90 } return'],
    ['outbound without the excluded ports', { excludeOutboundPorts: [3306] }, 'tcp dport { 3306 } return'],
    ['outbound without the excluded ranges', { excludeOutboundRanges: ['10.0.0.0/8'] }, 'ip daddr 10.0.0.0/8 return'],
    [
      'only the named ranges',
      { includeOutboundRanges: ['fd00::/8'] },
      'ip6 daddr fd00::/8 meta l4proto tcp redirect to :15001',
    ],
    [
      'named ports whatever the range',
      { includeOutboundPorts: [443] },
      'tcp dport { 443 } meta l4proto tcp redirect to :15001',
    ],
    ['nothing that enters by an excluded interface', { excludeInterfaces: ['net1'] }, 'iifname { "net1" } return'],
    ['nothing that leaves by an excluded interface', { excludeInterfaces: ['net1'] }, 'oifname { "net1" } return'],
  ])('redirects %s', (_, options, line) => {
    expect(
      rules(options)
        .split('\n')
        .map((each) => each.trim()),
    ).toContain(line);
  });

  test.each<[string, Partial<RedirectOptions>, string]>([
    ['an excluded port', { excludeInboundPorts: [90] }, 'tcp dport { 90 } return'],
    ['a port that is not included', { includeInboundPorts: [80] }, 'tcp dport != { 80 } return'],
    ['any port where none is included', { includeInboundPorts: [] }, 'return'],
  ])('leaves a call of the pod to itself alone on %s', (_, options, verdict) => {
    const lines = rules(options).split('\n');
    const at = lines.indexOf(`    oifname "lo" meta skuid 1337 ${verdict}`);
    expect(at).toBeGreaterThan(0);
    expect(at).toBeLessThan(lines.findIndex((line) => line.includes('skuid 1337 ip daddr')));
  });

  test('redirects nothing inbound for an empty list of ports', () => {
    expect(rules({ includeInboundPorts: [] }).split('chain outbound')[0]).not.toContain('redirect');
  });

  test('redirects nothing outbound but the self-call for an empty list of ranges', () => {
    expect(rules({ includeOutboundRanges: [] })).not.toContain(':15001');
  });
});

describe('redirect options', () => {
  test('are an empty object by default', () => {
    expect(formatRedirectOptions(PROXY_DEFAULTS)).toBe('{}');
  });

  test('come out as they went in', () => {
    const options: RedirectOptions = {
      includeInboundPorts: [80],
      excludeInboundPorts: [81, 82],
      includeOutboundPorts: [443],
      excludeOutboundPorts: [25],
      includeOutboundRanges: ['10.0.0.0/8', 'fd00::/8'],
      excludeOutboundRanges: ['10.1.0.0/16'],
      excludeInterfaces: ['net1', 'net2'],
      captureDnsOutside: 'cluster.local',
    };
    expect(parseRedirectOptions(formatRedirectOptions(options))).toEqual(options);
  });

  test.each([
    ['[]', 'it must be a JSON object'],
    ['{"colour":"blue"}', 'there is no option "colour"'],
    ['{"excludeInboundPorts":"x"}', 'excludeInboundPorts must be a comma-separated list of ports'],
    ['{"excludeInboundPorts":[80]}', 'excludeInboundPorts must be'],
    ['{"captureDnsOutside":"a..b"}', 'captureDnsOutside must be a DNS domain'],
  ])('refuse %s', (json, message) => {
    expect(() => parseRedirectOptions(json)).toThrow(message);
  });
});
