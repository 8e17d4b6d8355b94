import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { canary, pod, SETTINGS, service, slice } from './testing/objects.ts';

const HOST = 'web.shop.svc.cluster.local';
const labels = { app: 'web' };
const webPod = (name: string, revision: string, gated = false) =>
  pod(name, { deployment: 'web', revision, gated, labels, address: `10.0.0.${name.length}${name.charCodeAt(0)}` });

const stable = webPod('s', 'old');
const fresh = webPod('n', 'new', true);
const progress: CanaryStatus = { stableRevision: 'old', canaryRevision: 'new', ungatedRevisions: ['old'], weight: 5 };

function view(pods: V1Pod[], canaries: Canary[]) {
  const objects: MeshObject[] = [
    { kind: 'Service', object: service('web', labels) },
    { kind: 'EndpointSlice', object: slice('web', pods) },
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    ...canaries.map((object): MeshObject => ({ kind: 'Canary', object })),
  ];
  const snapshot = buildSnapshot(SETTINGS, objects);
  const { next, weight, asked, stable, canary: ref } = snapshot.services.get(HOST)?.split ?? {};
  const sides = (snapshot.endpoints.get(HOST) ?? []).map(({ podName, revision, gated }) => ({
    podName,
    revision,
    gated,
  }));
  const told = asked === undefined ? {} : { asked };
  return { canary: ref?.name, stable, next, weight, ...told, sides, policies: snapshot.policies };
}

const web = (status: CanaryStatus, name = 'web', created?: string) => canary(name, 'web', status, created);

describe('the split of a Service', () => {
  test('follows the status of the Canary whose target the Service selects', () => {
    const { policies: _, ...split } = view([stable, fresh], [web(progress)]);
    expect(split).toEqual({
      canary: 'web',
      stable: 'old',
      next: 'new',
      weight: 5,
      sides: [
        { podName: 's', revision: 'old', gated: false },
        { podName: 'n', revision: 'new', gated: true },
      ],
    });
  });

  test('is not there without a stable revision, and then nobody sees a pod that is held back', () => {
    const { canary: ref, sides } = view([stable, fresh], [web({})]);
    expect(ref).toBeUndefined();
    expect(sides.map(({ podName }) => podName)).toEqual(['s']);
  });

  test('is not there when the Service selects no pod of the target', () => {
    const other = pod('x', { deployment: 'other', revision: 'old', labels });
    expect(view([other], [web(progress)]).canary).toBeUndefined();
  });

  test('gives all to the new revision once the last stable pod is told to end, which stays in sight as long as it serves', () => {
    const going = (more: object) => pod('s', { deployment: 'web', revision: 'old', labels, deleting: true, ...more });
    const split = (last: V1Pod) => view([last, fresh], [web(progress)]);
    const seen = ({ sides }: ReturnType<typeof view>) => sides.map(({ podName, revision }) => `${podName} ${revision}`);
    const serving = split(going({}));
    expect(serving).toMatchObject({ next: 'new', weight: 100, asked: 5 });
    expect(seen(serving)).toEqual(['s old', 'n new']);
    const ended = split(going({ conditions: { Ready: false } }));
    expect(ended).toMatchObject({ next: 'new', weight: 100 });
    expect(seen(ended)).toEqual(['n new']);
    // Beside one that stays it gets nothing, nor where nothing is released.
    expect(seen(view([stable, going({}), fresh], [web(progress)]))).toEqual(['s old', 'n new']);
    expect(seen(view([going({})], []))).toEqual([]);
  });

  test('keeps the last stable pod in sight when its slice knows before it that it is to end', () => {
    const ending = slice('web', [stable, fresh]);
    for (const { targetRef, conditions } of ending.endpoints ?? []) {
      if (targetRef?.name === 's') Object.assign(conditions ?? {}, { ready: false, serving: true, terminating: true });
    }
    const { endpoints, services } = buildSnapshot(SETTINGS, [
      { kind: 'Service', object: service('web', labels) },
      { kind: 'EndpointSlice', object: ending },
      { kind: 'Pod', object: stable },
      { kind: 'Pod', object: fresh },
      { kind: 'Canary', object: web(progress) },
    ]);
    expect(services.get(HOST)?.split).toMatchObject({ next: 'new', weight: 100, asked: 5 });
    expect(endpoints.get(HOST)?.map(({ podName }) => podName)).toEqual(['s', 'n']);
  });

  test('gives no weight to a new revision without an eligible pod', () => {
    const starting = pod('n', {
      deployment: 'web',
      revision: 'new',
      gated: true,
      labels,
      conditions: { ContainersReady: false },
    });
    expect(view([stable, starting], [web(progress)])).toMatchObject({ stable: 'old', next: undefined, weight: 0 });
  });

  test('gives no weight to a new revision that does not serve a port that the stable one serves', () => {
    const objects: MeshObject[] = [
      { kind: 'Service', object: service('web', labels) },
      { kind: 'EndpointSlice', object: slice('web', [stable], { http: 8080, grpc: 9090 }) },
      {
        kind: 'EndpointSlice',
        object: { ...slice('web', [fresh]), metadata: { ...slice('web', []).metadata, name: 'web-2' } },
      },
      { kind: 'Pod', object: stable },
      { kind: 'Pod', object: fresh },
      { kind: 'Canary', object: web(progress) },
    ];
    const split = buildSnapshot(SETTINGS, objects).services.get(HOST)?.split;
    expect(split).toMatchObject({ stable: 'old', weight: 0 });
    expect(split).not.toHaveProperty('next');
  });

  test('sends everything to the new revision when it was to get something and no stable pod is left', () => {
    expect(view([fresh], [web(progress)])).toMatchObject({ next: 'new', weight: 100, asked: 5 });
  });

  test.each(['StatefulSet', 'DaemonSet'] as const)('is told by the label that a %s gives its pods', (kind) => {
    const ofKind = (object: V1Pod, revision: string): V1Pod => ({
      ...object,
      metadata: {
        ...object.metadata,
        labels: { ...labels, 'controller-revision-hash': revision },
        ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'owner', controller: true }],
      },
    });
    const named = web(progress);
    named.spec.targetRef.kind = kind;
    expect(view([ofKind(stable, 'old'), ofKind(fresh, 'new')], [named])).toMatchObject({
      stable: 'old',
      next: 'new',
      weight: 5,
      sides: [
        { podName: 's', revision: 'old', gated: false },
        { podName: 'n', revision: 'new', gated: true },
      ],
    });
  });

  test('is not there when no stable pod is left and the new revision has failed', () => {
    const { canary: ref, sides } = view([fresh], [web({ ...progress, weight: 0 })]);
    expect(ref).toBeUndefined();
    expect(sides).toEqual([]);
  });

  test('counts pods of revisions released before as stable, and leaves out one that never was', () => {
    const earlier = webPod('e', 'older');
    const stray = webPod('t', 'stray');
    const { sides } = view([stable, earlier, stray], [web({ ...progress, ungatedRevisions: ['old', 'older'] })]);
    expect(sides.map(({ podName, revision }) => [podName, revision])).toEqual([
      ['e', 'old'],
      ['s', 'old'],
    ]);
  });

  test('falls back on ready pods that nobody released when there are no others', () => {
    const { sides, weight } = view([webPod('t', 'stray'), fresh], [web(progress)]);
    expect(weight).toBe(5);
    expect(sides.map(({ podName, revision }) => [podName, revision])).toEqual([
      ['t', 'old'],
      ['n', 'new'],
    ]);
  });

  test('counts pods of other owners as stable', () => {
    const legacy = pod('l', { deployment: 'legacy', revision: 'xyz', labels });
    const { sides } = view([stable, fresh, legacy], [web(progress)]);
    expect(sides.map(({ podName, revision }) => [podName, revision])).toEqual([
      ['l', 'old'],
      ['s', 'old'],
      ['n', 'new'],
    ]);
  });

  test('keeps a failed revision known at weight 0, held back', () => {
    expect(view([stable, fresh], [web({ ...progress, weight: 0 })])).toMatchObject({ next: 'new', weight: 0 });
  });

  test('the oldest of two Canaries of one target decides, and the other is told', () => {
    const older = web(progress, 'zz', '2026-01-01T00:00:00Z');
    const younger = web({ ...progress, weight: 90 }, 'aa', '2026-01-02T00:00:00Z');
    const { canary: ref, weight, policies } = view([stable, fresh], [younger, older]);
    expect([ref, weight]).toEqual(['zz', 5]);
    expect(policies.get('Canary/shop/zz')?.problems).toEqual([]);
    expect(policies.get('Canary/shop/aa')?.problems).toMatchObject([
      { condition: 'Conflicted', reason: 'TargetClaimed', message: expect.stringContaining('shop/zz') },
    ]);
  });
});
