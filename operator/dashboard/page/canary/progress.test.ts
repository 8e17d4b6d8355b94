import { expect, test } from '@jest/globals';
import type { Canary } from '../../../../api/canary.ts';
import { messageOf, stagesOf, stepTitles } from './progress.ts';
import { boundOf, evidenceShare, metricValue } from './words.ts';

function canary(analysis: object, status: Canary['status'] = {}): Canary {
  return { spec: { analysis }, status, metadata: { name: 'a', namespace: 'b' } } as unknown as Canary;
}

test('the steps are those that the spec asks for', () => {
  const titles = (analysis: object) => stepTitles(canary(analysis).spec);
  expect(titles({ stepWeights: [5, 50] })).toEqual(['5%', '50%']);
  expect(titles({ stepWeight: 40, maxWeight: 100, mirror: true })).toEqual(['copies of 100%', '40%', '80%', '100%']);
  expect(titles({ iterations: 3, match: [{}] })).toEqual(['3 checks of what matches']);
  expect(titles({ iterations: 3, mirror: true })).toEqual(['3 checks of copies']);
});

test('where a release stands', () => {
  const states = (status: Canary['status']) =>
    stagesOf(canary({ stepWeights: [5, 50] }, status)).map(({ state }) => state);
  expect(states({})).toEqual(['ahead', 'ahead', 'ahead']);
  expect(states({ phase: 'Progressing', step: 1 })).toEqual(['done', 'now', 'ahead']);
  expect(states({ phase: 'Waiting' })).toEqual(['now', 'ahead', 'ahead']);
  expect(states({ phase: 'Promoting', step: 1 })).toEqual(['done', 'done', 'now']);
  expect(states({ phase: 'Succeeded' })).toEqual(['done', 'done', 'done']);
  expect(states({ phase: 'Failed', step: 1 })).toEqual(['done', 'failed', 'ahead']);
});

test('what is wrong with the object is said before what goes on', () => {
  const condition = (type: string, status: 'True' | 'False', message: string) => ({
    type,
    status,
    reason: 'R',
    message,
    lastTransitionTime: '',
  });
  const progressing = condition('Progressing', 'True', 'it goes on');
  expect(messageOf({ conditions: [progressing] })).toBe('it goes on');
  expect(messageOf({ conditions: [progressing, condition('TargetReady', 'False', 'there is no Deployment a')] })).toBe(
    'there is no Deployment a',
  );
  expect(messageOf({})).toBeUndefined();
});

test('metrics are told with their units and bounds', () => {
  expect(metricValue({ name: 'request-success-rate' }, 99.314)).toBe('99.31%');
  expect(metricValue({ name: 'request-duration' }, 96)).toBe('96 ms');
  expect(metricValue({ name: 'cart-size' }, undefined)).toBeUndefined();
  expect(boundOf({ name: 'request-duration', intervalMs: 1, max: 250, maxIncrease: 20 })).toBe(
    'at most 250 ms, at most 20% above stable',
  );
  expect(evidenceShare({ name: 'a', verdict: 'Pending', evidence: 20, evidenceNeeded: 400 })).toBeCloseTo(0.5);
  expect(evidenceShare({ name: 'a', verdict: 'Pending' })).toBeUndefined();
});
