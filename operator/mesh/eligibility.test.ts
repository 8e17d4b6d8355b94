import { describe, expect, test } from '@jest/globals';
import { isHeldByOurGateAlone, matchEligibility, type PodReadiness } from './eligibility.ts';
import { pod } from './testing/objects.ts';

describe('a pod held back by our gate alone', () => {
  test.each([
    ['has our gate and ready containers', pod('a', { gated: true }), true],
    [
      'is one of which kubelet has not yet seen the gate open',
      pod('a', { gated: true, conditions: { 'heddle.dev/canary': true } }),
      true,
    ],
    ['needs containers that are ready', pod('a', { gated: true, conditions: { ContainersReady: false } }), false],
    ['needs a gate of ours', pod('a', { conditions: { Ready: false } }), false],
    ['may have no closed gate of others', pod('a', { gated: true, gates: ['lb'] }), false],
    ['may have an open gate of others', pod('a', { gated: true, gates: ['lb'], conditions: { lb: true } }), true],
    ['may not be on its way out', pod('a', { gated: true, deleting: true }), false],
  ])('%s', (_, object, held) => {
    expect(isHeldByOurGateAlone(object)).toBe(held);
  });
});

describe('eligibility of an endpoint', () => {
  const running: PodReadiness = { deleting: false, heldByGate: false, ready: true, nodeReady: true };
  const held: PodReadiness = { ...running, heldByGate: true, ready: false };
  const up = { ready: true, terminating: false };
  const down = { ready: false, terminating: false };
  const going = { ready: false, terminating: true };

  test.each([
    ['ready', up, running, false, 'ready'],
    ['ready and no pod', up, undefined, false, 'ready'],
    ['not ready', down, { ...running, ready: false }, false, undefined],
    ['not ready, held by our gate', down, held, false, 'gated'],
    ['not ready, held by our gate, on a lost node', down, { ...held, nodeReady: false }, false, undefined],
    ['ready on a lost node, which only the slice may judge', up, { ...running, nodeReady: false }, false, 'ready'],
    ['ready since the gate opened', up, { ...held, ready: true }, false, 'ready'],
    ['terminating', going, running, false, undefined],
    ['deleting before the slice knows', up, { ...running, deleting: true }, false, undefined],
    ['published whatever its state', up, { ...running, ready: false }, true, 'ready'],
    ['published while it goes', { ready: true, terminating: true }, { ...running, deleting: true }, true, 'ready'],
    ['published, and held by our gate all the same', up, held, true, 'gated'],
  ] as const)('%s', (_, slice, pod, published, eligibility) => {
    expect(matchEligibility(slice, pod, published)).toBe(eligibility);
  });
});
