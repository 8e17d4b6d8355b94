import { describe, expect, test } from '@jest/globals';
import { MeshBuilder } from '../mesh/mesh-builder.ts';
import type { MeshChange } from '../mesh/mesh-object.ts';
import type { PolicyReach } from '../mesh/snapshot.ts';
import { type PodOptions, pod, SETTINGS } from '../mesh/testing/objects.ts';
import { WorkloadIndex } from './workload-index.ts';

const put = (name: string, options: PodOptions = {}): MeshChange => ({
  kind: 'Pod',
  key: `${options.namespace ?? 'shop'}/${name}`,
  object: pod(name, options),
});

function setUp(...first: MeshChange[]) {
  const builder = new MeshBuilder(SETTINGS);
  const index = new WorkloadIndex();
  const apply = (...changes: MeshChange[]): string[] => {
    const { snapshot, delta } = builder.apply(changes);
    return index.update(snapshot, delta).map(({ name }) => name);
  };
  const within = (reach: PolicyReach) => [...index.within(reach)].map(({ name }) => name).sort();
  return { apply, within, changed: apply(...first) };
}

const seen = (visibility: '*' | string[], labels = {}): PolicyReach => ({ kind: 'clients', visibility, labels });

describe('workloads that a policy is about', () => {
  test('are those of the namespaces that see it, with its labels', () => {
    const { within } = setUp(
      put('a', { labels: { app: 'ui' } }),
      put('b'),
      put('c', { namespace: 'far', labels: { app: 'ui' } }),
      put('d', { injected: false }),
    );
    expect(within(seen('*'))).toEqual(['a', 'b', 'c']);
    expect(within(seen(['shop']))).toEqual(['a', 'b']);
    expect(within(seen(['far', 'nowhere', 'shop'], { app: 'ui' }))).toEqual(['a', 'c']);
    expect(within(seen([]))).toEqual([]);
  });

  test('follow what comes and goes', () => {
    const { apply, within } = setUp(put('a'));
    apply(put('b'), { kind: 'Pod', key: 'shop/a', object: undefined });
    expect([within(seen('*')), within(seen(['shop']))]).toEqual([['b'], ['b']]);
  });

  test.each<[string, PodOptions, boolean]>([
    ['its sidecar starts', { started: true }, true],
    ['it has other labels', { started: false, labels: { app: 'ui' } }, true],
    ['its address is another', { started: false, address: '10.0.0.9' }, false],
    ['it ends', { started: false, deleting: true }, false],
  ])('may be others when of a pod %s: %s', (_, options, isOther) => {
    const { apply, changed } = setUp(put('a', { started: false }));
    expect(changed).toEqual(['a']);
    expect(apply(put('a', options))).toEqual(isOther ? ['a'] : []);
  });
});
