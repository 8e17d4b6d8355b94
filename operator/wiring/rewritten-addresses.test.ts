import { expect, test } from '@jest/globals';
import type { Node } from './cluster-stores.ts';
import { RewrittenAddresses } from './rewritten-addresses.ts';

const NODE: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  spec: { podCIDRs: ['10.244.1.0/24', 'fd00:1::/64'] },
  status: {
    addresses: [
      { type: 'InternalIP', address: '192.0.2.7' },
      { type: 'Hostname', address: 'node-1' },
    ],
  },
};
const OTHER: Node = { ...NODE, spec: { podCIDRs: ['10.244.2.0/24'] }, status: {} };

test.each([
  ['its node', '192.0.2.7', true],
  ['the bridge of its node', '10.244.1.1', true],
  ['the tunnel of its node', 'fd00:1::1', true],
  ['a block that the settings name', '100.64.3.4', true],
  ['an address that they name', '2001:db8::5', true],
  ['nobody', '192.0.2.8', false],
  ['the bridge of another node', '10.244.2.1', false],
  ['this machine', '127.0.0.1', false],
  ['no address', 'node-1', false],
])('a pod may come from an address of %s: %s, %s', (_, address, expected) => {
  const nodes = new Map([
    ['one', NODE],
    ['two', OTHER],
  ]);
  const rewritten = new RewrittenAddresses(nodes, ['100.64.0.0/10', '2001:db8::5']);
  expect(rewritten.has(address, 'one')).toBe(expected);
});

test('what a node has now counts, not what it had, nor of one that nobody knows', () => {
  const nodes = new Map([['one', NODE]]);
  const rewritten = new RewrittenAddresses(nodes, []);
  expect(rewritten.has('192.0.2.7', 'one')).toBe(true);
  expect(rewritten.has('192.0.2.7', 'two')).toBe(false);
  nodes.set('one', { ...NODE, spec: {}, status: { addresses: [{ type: 'InternalIP', address: '192.0.2.9' }] } });
  expect(['192.0.2.7', '192.0.2.9'].map((address) => rewritten.has(address, 'one'))).toEqual([false, true]);
});
