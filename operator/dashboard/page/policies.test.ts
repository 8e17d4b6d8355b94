import { expect, test } from '@jest/globals';
import type { PolicyView } from '../../../api/view/control-plane-view.ts';
import { stateOf } from './policies.ts';

const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' } as const;
const policy = (more: Partial<PolicyView>): PolicyView => ({
  kind: 'K',
  namespace: 'n',
  name: 'p',
  conditions: [accepted],
  ...more,
});

test('a policy is in force only where all of its proxies have it', () => {
  const states = [
    policy({ inForce: { proxies: 3, of: 3 } }),
    policy({ inForce: { proxies: 2, of: 3 } }),
    policy({ inForce: { proxies: 0, of: 0 } }),
    policy({}),
    policy({ conditions: [] }),
    policy({ conditions: [{ ...accepted, status: 'False', reason: 'InvalidRoute' }], inForce: { proxies: 3, of: 3 } }),
    policy({ conditions: [accepted, { ...accepted, type: 'Degraded' }], inForce: { proxies: 3, of: 3 } }),
  ].map(stateOf);
  expect(states.map(({ tone, text }) => `${tone}: ${text}`)).toEqual([
    'good: in force',
    'warn: not everywhere yet',
    'warn: about no proxy',
    'warn: unknown where in force',
    'warn: not looked at yet',
    'bad: invalid route',
    'warn: degraded',
  ]);
});
