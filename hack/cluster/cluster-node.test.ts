import { describe, expect, test } from '@jest/globals';
import { firstNode, nodesWithImages, secondNode } from './cluster-node.ts';
import { proxyArguments } from './components.ts';
import { cniConfiguration } from './containerd.ts';
import { ALL_PODS_PREFIX, stateLayout } from './layout.ts';

const state = stateLayout('/nowhere');
const nodes = [firstNode(state), secondNode(state)] as const;

/** First and last address of a prefix, as numbers. */
function range(prefix: string): [number, number] {
  const [address = '', length = ''] = prefix.split('/');
  const first = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return [first, first + 2 ** (32 - Number(length)) - 1];
}

describe('the two nodes', () => {
  test('share no name, address, control group or file', () => {
    for (const of of [
      nodes.map(({ name }) => name),
      nodes.map(({ address }) => address),
      nodes.map(({ zone }) => zone),
      nodes.map(({ controlGroup }) => controlGroup),
      nodes.map((node) => node.state.containerdSocket),
      nodes.map((node) => node.state.processes),
    ])
      expect(new Set(of).size).toBe(2);
  });

  test('have addresses for pods, their own among them, that do not overlap and are all that pods have', () => {
    const [first, second] = nodes.map(({ podPrefix }) => range(podPrefix));
    expect([first?.[0], second?.[1]]).toEqual(range(ALL_PODS_PREFIX));
    expect(second?.[0]).toBe((first?.[1] ?? 0) + 1);
    for (const { address, podPrefix } of nodes) {
      const [least, most] = range(podPrefix);
      const [own] = range(`${address}/32`);
      expect(own >= least && own <= most).toBe(true);
    }
  });

  test('hand out their own addresses, and hide none of the other node from pods', () => {
    for (const node of nodes) {
      expect(JSON.stringify(cniConfiguration(node))).toContain(`"subnet":"${node.podPrefix}"`);
      expect(proxyArguments(node)).toContain(`--cluster-cidr=${ALL_PODS_PREFIX}`);
    }
  });

  test('are one while no second is added', () => {
    expect(nodesWithImages(state).map(({ name }) => name)).toEqual([nodes[0].name]);
  });
});
