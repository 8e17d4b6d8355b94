import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DaemonSet } from '../objects.ts';
import { observationOf, specOf } from '../observation.fixture.ts';
import { nextStatus } from '../phase-machine.ts';
import { borrowing } from './borrowed-fields.ts';
import { daemonSet } from './daemon-set.ts';
import { TargetIndex } from './target-index.ts';
import { controllerRevisionOf, daemonSetOf, emptyStores, podOf } from './targets.fixture.ts';

const KIND = 'DaemonSet';
const KEY = `shop/${KIND}/ordering`;

let stores: ReturnType<typeof emptyStores>;
let index: TargetIndex;

beforeEach(() => {
  stores = emptyStores();
  index = new TargetIndex(stores);
  stores.controllerRevisions.set(controllerRevisionOf(KIND, 'old', 1));
});

/** Revisions of the pods, by node; a `!` where our gate holds one. */
function pods(...revisions: readonly string[]): void {
  for (const [node, revision] of revisions.entries()) {
    stores.pods.set(
      podOf(KIND, `ordering-${node}`, revision.replace('!', ''), revision.endsWith('!') ? 'shut' : undefined),
    );
  }
}

const view = (object: DaemonSet) => daemonSet.view(object, KEY, index);
const observe = (object: DaemonSet, more = {}) =>
  observationOf(view(object), { spec: specOf({}, { targetRef: { kind: KIND, name: 'ordering' } }), ...more });

describe('a DaemonSet', () => {
  test('has the revision of the highest number, and is rolled out when all pods are of it', () => {
    pods('old', 'old', 'old', 'old');
    expect(view(daemonSetOf())).toMatchObject({ current: 'old', rolledOut: true, replicas: 4, takesOut: 1 });
    stores.controllerRevisions.set(controllerRevisionOf(KIND, 'new', 2));
    const during = view(daemonSetOf({ status: { updatedNumberScheduled: 0 } }));
    expect(during).toMatchObject({ current: 'new', rolledOut: false });
  });

  test('whose template was changed back has the old revision again, by its new number', () => {
    stores.controllerRevisions.set(controllerRevisionOf(KIND, 'new', 2));
    stores.controllerRevisions.set(controllerRevisionOf(KIND, 'old', 3));
    expect(view(daemonSetOf()).current).toBe('old');
  });

  test('has no current revision while Kubernetes has not seen the template', () => {
    expect(view(daemonSetOf({ status: { observedGeneration: 1 } })).current).toBeUndefined();
  });

  test('is not rolled out while an old pod stands beside the new ones', () => {
    stores.controllerRevisions.set(controllerRevisionOf(KIND, 'new', 2));
    pods('new', 'new', 'new', 'new', 'old');
    expect(view(daemonSetOf()).rolledOut).toBe(false);
  });

  test('tries a revision with a node of its own, and says so', () => {
    pods('old', 'old', 'old', 'old');
    const { status } = nextStatus({}, observe(daemonSetOf()));
    expect(status).toMatchObject({ phase: 'Initialized', stableRevision: 'old', target: 'DaemonSet/ordering' });
    const said = status.conditions?.find(({ type }) => type === 'TargetReady');
    expect(said).toMatchObject({ status: 'True', reason: 'PreparedInPart' });
    expect(said?.message).toContain(
      'tried on 1 of 4 nodes, whose pods are taken out of the old one, so weights are cut to 25 %',
    );
  });

  test.each([
    ['OnlyPod', daemonSetOf({ status: { desiredNumberScheduled: 1 } }), {}],
    ['OnlyPod', daemonSetOf({ spec: { updateStrategy: { rollingUpdate: { maxUnavailable: '100%' } } } }), {}],
    ['OnDelete', daemonSetOf({ spec: { updateStrategy: { type: 'OnDelete' } } }), {}],
    ['NoService', daemonSetOf(), { services: [] }],
  ])('that cannot be tried says %s', (reason, object, more) => {
    pods('old');
    const { status } = nextStatus({}, observe(object, more));
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'TargetReady', status: 'False', reason }));
  });

  test('with maxSurge on one node keeps the old pod, so it is tried', () => {
    pods('old');
    const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
    const one = { desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 };
    const object = daemonSetOf({ spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate } }, status: one });
    expect(nextStatus({}, observe(object)).status).toMatchObject({ phase: 'Initialized', stableRevision: 'old' });
  });

  test('whose pods came without gates is stopped by OnDelete, and by nothing else', () => {
    pods('old', 'old', 'old', 'old');
    const before = nextStatus({}, observe(daemonSetOf())).status;
    expect(daemonSet.wanted(before, observe(daemonSetOf()), view(daemonSetOf()))).toEqual({});
    stores.controllerRevisions.set(controllerRevisionOf(KIND, 'new', 2));
    pods('new', 'old', 'old', 'old');
    const object = daemonSetOf({ status: { updatedNumberScheduled: 1, numberAvailable: 4 } });
    const { status } = nextStatus(before, observe(object));
    const wanted = daemonSet.wanted(status, observe(object), view(object));
    expect(borrowing(object, wanted, daemonSet.borrowable)).toMatchObject({
      spec: { updateStrategy: { type: 'OnDelete' } },
    });
    expect(status.conditions?.find(({ type }) => type === 'Ungated')?.message).toContain('spec.updateStrategy.type');
  });
});
