import { expect, test } from '@jest/globals';
import { buildCallerBounds } from './caller-bounds.ts';

test('an address has so many connections to the plaintext ports together, and its next is reset', () => {
  expect(buildCallerBounds()).toBe(`table inet heddle {
  set callers { type ipv4_addr; flags dynamic; size 65535; }
  set callers6 { type ipv6_addr; flags dynamic; size 65535; }
  chain bounds {
    type filter hook input priority 0; policy accept;
    tcp dport { 15020, 15021, 15031, 15032, 15033, 15034, 15035, 15036, 15037, 15038, 15039, 15040, 15090 } ct state new add @callers { ip saddr ct count over 64 } reject with tcp reset
    tcp dport { 15020, 15021, 15031, 15032, 15033, 15034, 15035, 15036, 15037, 15038, 15039, 15040, 15090 } ct state new add @callers6 { ip6 saddr ct count over 64 } reject with tcp reset
  }
}
`);
});
