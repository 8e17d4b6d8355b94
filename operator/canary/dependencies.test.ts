import { describe, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { viewDependencies } from './dependencies.ts';
import { specOf } from './observation.fixture.ts';

function canary(name: string, dependsOn: string[], status?: CanaryStatus): Canary {
  const spec = specOf({}, { dependsOn: dependsOn.map((other) => ({ name: other })) });
  const base = { apiVersion: 'heddle.dev/v1alpha1', kind: 'Canary', metadata: { name, namespace: 'shop' }, spec };
  return status ? { ...base, status } : base;
}

function problems(own: Canary, ...others: Canary[]): (string | undefined)[] {
  const all = new Map([own, ...others].map((each) => [`shop/${each.metadata.name}`, each]));
  return viewDependencies(own, { find: (key) => all.get(key), current: () => 'r1' }).map(({ problem }) => problem);
}

describe('a Canary that another depends on', () => {
  test.each<[string, CanaryStatus | undefined, string | undefined]>([
    ['is at rest', { phase: 'Succeeded', stableRevision: 'r1' }, undefined],
    ['never released anything', { phase: 'Initialized', stableRevision: 'r1' }, undefined],
    [
      'is under way',
      { phase: 'Progressing', stableRevision: 'r0', canaryRevision: 'r1' },
      'Canary shop/base is Progressing',
    ],
    [
      'has a template that nobody has looked at yet',
      { phase: 'Succeeded', stableRevision: 'r0' },
      'Canary shop/base is about to release a new revision',
    ],
    [
      'has failed',
      { phase: 'Failed', stableRevision: 'r0' },
      'Canary shop/base has failed; it must be released or reverted first',
    ],
    ['is new', undefined, 'Canary shop/base is not looked at yet'],
  ])('and %s', (_, status, expected) => {
    expect(problems(canary('web', ['base']), canary('base', [], status))).toEqual([expected]);
  });

  test('and is not there is named', () => {
    expect(problems(canary('web', ['base']))).toEqual(['there is no Canary shop/base']);
  });

  test('in another namespace is found there', () => {
    const spec = specOf({}, { dependsOn: [{ name: 'base', namespace: 'infra' }] });
    const [found] = viewDependencies(
      { ...canary('web', []), spec },
      { find: () => undefined, current: () => undefined },
    );
    expect(found?.problem).toBe('there is no Canary infra/base');
  });

  test.each<[string, Canary[], string | undefined]>([
    ['itself', [canary('web', ['web'])], 'shop/web depends on shop/web: no one can go first; take one out'],
    [
      'one that depends on it',
      [canary('web', ['base']), canary('base', ['data']), canary('data', ['web'])],
      'shop/web depends on shop/base depends on shop/data depends on shop/web: no one can go first; take one out',
    ],
    [
      'a circle that it is not part of',
      [canary('web', ['base']), canary('base', ['data']), canary('data', ['base'])],
      'Canary shop/base is not looked at yet',
    ],
  ])('is a cycle when it is %s', (_, [own, ...others], expected) => {
    expect(problems(own as Canary, ...others)).toEqual([expected]);
  });
});
