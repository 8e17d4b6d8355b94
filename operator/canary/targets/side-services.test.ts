import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Canary } from '../../../api/canary.ts';
import { SIDE_ANNOTATION } from '../../../api/canary-side.ts';
import type { TrafficQuery } from '../../telemetry/traffic.ts';
import { hook, Life } from '../life.fixture.ts';
import { observationOf, targetOf, traffic } from '../observation.fixture.ts';
import { observe } from '../observe.ts';
import type { AddressQuery, SplitQuery } from '../ports.ts';
import { UsageWatch } from '../usage-watch.ts';
import { findUnfit } from './target-acceptance.ts';
import { TargetIndex } from './target-index.ts';
import { canaryOf, emptyStores } from './targets.fixture.ts';

const KEY = 'shop/Deployment/ordering';
const namespace = 'shop';

let stores: ReturnType<typeof emptyStores>;
let index: TargetIndex;
let asked: { coverage: SplitQuery[]; addressed: AddressQuery[]; traffic: TrafficQuery[] };

beforeEach(() => {
  stores = emptyStores();
  index = new TargetIndex(stores);
  asked = { coverage: [], addressed: [], traffic: [] };
  workload('ordering');
});

function workload(name: string): void {
  const labels = { app: name, tier: 'back' };
  stores.deployments.set({ metadata: { name, namespace }, spec: { template: { metadata: { labels } } } });
}

function service(name: string, side?: string, selector: Record<string, string> = { app: 'ordering' }): void {
  const annotations = side === undefined ? {} : { annotations: { [SIDE_ANNOTATION]: side } };
  stores.services.set({ metadata: { name, namespace, ...annotations }, spec: { selector } });
}

function ours(): Canary {
  const made = canaryOf('Deployment', { stableRevision: 'r1' });
  made.metadata = { ...made.metadata, name: 'ordering', namespace, creationTimestamp: '2026-01-02T00:00:00Z' };
  made.spec = { ...made.spec, targetRef: { ...made.spec.targetRef, name: 'ordering' } };
  return made;
}

function observed() {
  const all = { callers: 1, acknowledged: 1 };
  const deps: Parameters<typeof observe>[4] = {
    mesh: {
      coverage: (query) => {
        asked.coverage.push(query);
        return all;
      },
      addressed: (query) => {
        asked.addressed.push(query);
        return all;
      },
    },
    traffic: {
      window: (query) => {
        asked.traffic.push(query);
        return traffic(1);
      },
    },
    hooks: { answer: () => undefined, want: () => {}, tell: () => {}, forget: () => {}, onAnswer: () => {} },
    templates: { answer: () => undefined, want: () => {} },
    clusterDomain: 'cluster.local',
    isDiscovered: () => true,
  };
  return observe(ours(), KEY, undefined, index, deps, new UsageWatch({ ofNamespace: () => undefined }));
}

const host = (name: string) => `${name}.shop.svc.cluster.local`;

describe('an address of one side', () => {
  beforeEach(() => {
    service('ordering');
    service('ordering-canary', 'canary');
    service('ordering-stable', 'stable');
  });

  test('is not waited for where a weight is put in force, and its requests are evidence like all others', () => {
    const seen = observed();
    seen.coverage('r2', { weight: 5, matched: false, mirror: 0 });
    seen.traffic('r2', 0);
    seen.addressed?.('r2');
    expect(seen.services).toEqual(['ordering']);
    expect(asked.coverage.map(({ services }) => services)).toEqual([[host('ordering')]]);
    const counted = [host('ordering'), host('ordering-canary'), host('ordering-stable')];
    expect(asked.traffic.map(({ services }) => services)).toEqual([counted]);
    expect(asked.addressed).toEqual([
      { namespace, canary: 'ordering', services: [host('ordering-canary')], stable: 'r1', next: 'r2' },
    ]);
  });

  test('is no Service whose requests can be tried', () => {
    stores.services.delete(`${namespace}/ordering`);
    const { services, sides = [] } = observed();
    const unfit = findUnfit(observationOf(targetOf(), { services, sides }), false);
    expect(unfit).toMatchObject({ reason: 'NoService', message: expect.stringContaining('no Service but addresses') });
  });

  test('of another Canary says so, and is not waited for', () => {
    workload('cart');
    const older = ours();
    older.metadata = { ...older.metadata, name: 'cart', creationTimestamp: '2026-01-01T00:00:00Z' };
    older.spec = { ...older.spec, targetRef: { ...older.spec.targetRef, name: 'cart' } };
    stores.canaries.set(older);
    service('ordering-canary', 'canary', { tier: 'back' });
    const seen = observed();
    expect(seen.addressed).toBeUndefined();
    expect(new Life({}).at(0, seenOf(seen)).said('TargetReady')).toContain(
      'Service ordering-canary selects the pods of Deployment cart too, and its annotation canary.heddle.dev/side is about Canary cart',
    );
  });
});

const seenOf = ({ services, sides, sideProblems, shared }: ReturnType<typeof observed>) => ({
  services,
  sides: sides ?? [],
  sideProblems: sideProblems ?? [],
  shared: shared ?? [],
});

describe('the Canary says', () => {
  test('whom its addresses lead where', () => {
    service('ordering');
    service('ordering-canary', 'canary');
    expect(new Life({}).at(0, seenOf(observed())).said('TargetReady')).toContain(
      'Service ordering-canary leads callers with a sidecar to the new revision, and others to pods that are Ready',
    );
  });

  test('that a value is no side; the Service is shared out', () => {
    service('ordering-canary', 'new');
    const seen = observed();
    expect(seen.services).toEqual(['ordering-canary']);
    expect(new Life({}).at(0, seenOf(seen)).said('TargetReady')).toContain(
      'Service ordering-canary: metadata.annotations[canary.heddle.dev/side]: "new" is no side; write canary or stable',
    );
  });

  test.each([
    ['http://ordering-canary.shop/test', true],
    ['http://ordering-canary.shop.svc.cluster.local:8080/', true],
    ['http://ordering-stable.shop/', false],
    ['http://ordering-canary.elsewhere/', false],
    ['http://load-tester.shop/', false],
  ])('of a hook at %s that the operator can not reach the new revision by it: %s', (url, told) => {
    service('ordering');
    service('ordering-canary', 'canary');
    service('ordering-stable', 'stable');
    const life = new Life({ webhooks: [{ ...hook('rollout'), url }] }).at(0, seenOf(observed()));
    const sentence = 'spec.analysis.webhooks[0].url: the operator asks hooks without a sidecar';
    expect(life.said('Accepted').includes(sentence)).toBe(told);
  });
});
