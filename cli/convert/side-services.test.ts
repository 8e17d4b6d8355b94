import { expect, test } from '@jest/globals';
import { calledSides } from './side-services.ts';

test.each<[string, string[]]>([
  ['hey -z 1m http://podinfo-canary.test:9898/', ['canary']],
  ['hey http://podinfo-canary/', ['canary']],
  ['ghz --insecure podinfo-canary:9898', ['canary']],
  ['curl podinfo-primary.test && curl podinfo-canary.test', ['canary', 'stable']],
  ['probe{instance="http://{{ service }}-primary.test"}', ['stable']],
  ['probe{instance="http://{{target}}-canary.test"}', ['canary']],
  ['http://my-podinfo-canary.test/', []],
  ['http://podinfo-canary-v2.test/', []],
  ['http://podinfoXcanary.test/', []],
  ['kubectl rollout status deployment/podinfo-primary', []],
  ['up{destination_workload="podinfo-canary"}', []],
])('%s calls the sides %j', (text, sides) => {
  expect([...calledSides(text, 'podinfo')].sort()).toEqual(sides);
});

test('a name is taken as it is', () => {
  expect([...calledSides('http://web.v2-canary.test', 'web.v2')]).toEqual(['canary']);
  expect([...calledSides('http://webxv2-canary.test', 'web.v2')]).toEqual([]);
});
