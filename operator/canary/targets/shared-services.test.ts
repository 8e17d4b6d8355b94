import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Canary } from '../../../api/canary.ts';
import { observationOf, targetOf } from '../observation.fixture.ts';
import { findSharedServices, refuseSharedServices, type SharedService, sharedServiceCosts } from './shared-services.ts';
import { TargetIndex } from './target-index.ts';
import { canaryOf, emptyStores } from './targets.fixture.ts';

const KEY = 'shop/Deployment/ordering';
const namespace = 'shop';
const target = targetOf();

let stores: ReturnType<typeof emptyStores>;
let index: TargetIndex;

beforeEach(() => {
  stores = emptyStores();
  index = new TargetIndex(stores);
  workload('ordering');
});

function workload(name: string, namespaceOf = namespace): void {
  const labels = { app: name, tier: 'back' };
  stores.deployments.set({ metadata: { name, namespace: namespaceOf }, spec: { template: { metadata: { labels } } } });
}

const service = (name: string, selector: Record<string, string>) => ({
  metadata: { name, namespace },
  spec: { selector },
});

function canary(name: string, created: string, stableRevision?: string): Canary {
  const made = canaryOf('Deployment', stableRevision ? { stableRevision } : {});
  made.metadata = { ...made.metadata, name, creationTimestamp: created };
  made.spec = { ...made.spec, targetRef: { ...made.spec.targetRef, name } };
  return made;
}

const ours = canary('ordering', '2026-01-02T00:00:00Z');
const found = (...services: ReturnType<typeof service>[]) => findSharedServices(ours, KEY, services, index);
const unfit = (services: readonly string[], shared: readonly SharedService[]) =>
  refuseSharedServices(target, observationOf(target, { services, shared }));

describe('a Service', () => {
  test('of the target alone is not shared, whatever other namespaces hold', () => {
    workload('cart');
    workload('ordering', 'elsewhere');
    expect(found(service('ordering', { app: 'ordering' }))).toEqual([]);
  });

  test('over two targets is shared, and said to be', () => {
    workload('cart');
    const shared = found(service('back', { tier: 'back' }), service('ordering', { app: 'ordering' }));
    expect(shared).toEqual([{ service: 'back', other: 'Deployment cart', splitBy: undefined }]);
    expect(unfit(['back', 'ordering'], shared)).toBeUndefined();
    expect(sharedServiceCosts(shared)).toEqual([expect.stringContaining('Deployment cart too: they count as stable')]);
  });

  test.each([
    ['an older Canary', '2026-01-01T00:00:00Z', 'r1', 'cart'],
    ['a younger Canary', '2026-01-03T00:00:00Z', 'r1', undefined],
    ['a Canary that has no stable revision', '2026-01-01T00:00:00Z', undefined, undefined],
  ])('of the target of %s', (_, created, stable, expected) => {
    workload('cart');
    stores.canaries.set(canary('cart', created, stable));
    const shared = found(service('back', { tier: 'back' }));
    expect(shared).toEqual([{ service: 'back', other: 'Deployment cart', splitBy: expected }]);
    const refusal = {
      reason: 'ServiceConflict',
      message: expect.stringContaining('Canary cart shares out its requests'),
    };
    expect(unfit(['back'], shared)).toEqual(expected ? refusal : undefined);
    // Another Service is left: what is lost is said, and the release goes on.
    expect(unfit(['back', 'ordering'], shared)).toBeUndefined();
  });
});
