import { describe, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { SIDE_ANNOTATION } from '../../api/canary-side.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import { buildSnapshot } from './mesh-builder.ts';
import type { MeshObject } from './mesh-object.ts';
import { canary, pod, SETTINGS, service, slice } from './testing/objects.ts';

const labels = { app: 'web' };
const podOf = (name: string, revision: string, more: object = {}) =>
  pod(name, { deployment: 'web', revision, labels, address: `10.0.0.${name.charCodeAt(0)}`, ...more });
const stable = podOf('s', 'old');
const fresh = podOf('n', 'new', { gated: true });
const progress: CanaryStatus = { stableRevision: 'old', canaryRevision: 'new', ungatedRevisions: ['old'] };

interface Trial {
  readonly pods?: readonly V1Pod[];
  readonly status?: CanaryStatus;
  readonly analysis?: object;
  readonly ports?: Record<string, Record<string, number>>;
}

/** Where the requests for a Service with the annotation go, and whose endpoints callers have of it. */
function sideOf(side: string, { pods = [stable, fresh], status = {}, analysis = {}, ports = {} }: Trial = {}) {
  const made = service('web-side', labels);
  made.metadata = { ...made.metadata, annotations: { [SIDE_ANNOTATION]: side } };
  const release = canary('web', 'web', { ...progress, ...status });
  Object.assign(release.spec.analysis, analysis);
  const slices = pods.map((one, index) => {
    const own = slice('web-side', [one], ports[one.metadata?.name ?? '']);
    return { ...own, metadata: { ...own.metadata, name: `web-side-${index}` } };
  });
  const objects: MeshObject[] = [
    { kind: 'Service', object: made },
    ...slices.map((object): MeshObject => ({ kind: 'EndpointSlice', object })),
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    { kind: 'Canary', object: release },
  ];
  const snapshot = buildSnapshot(SETTINGS, objects);
  const host = 'web-side.shop.svc.cluster.local';
  const split = snapshot.services.get(host)?.split;
  const { next, weight, terms, side: fixed, asked } = split ?? {};
  const seen = (snapshot.endpoints.get(host) ?? []).map(({ podName, revision }) => `${podName} ${revision}`);
  return { fixed, next, weight, terms, asked, seen };
}

const ALL_NEW = { fixed: 'canary', next: 'new', weight: 100, terms: undefined, asked: undefined };
const ALL_OLD = { next: 'new', weight: 0, terms: undefined, asked: undefined };
const BOTH = ['s old', 'n new'];

const TRIALS: readonly (readonly [string, Trial])[] = [
  ['before the first request', {}],
  ['at a weight', { status: { weight: 5 } }],
  ['while it is tried by what requests say', { status: { matched: true }, analysis: { match: [{ headers: {} }] } }],
  ['while it gets copies', { status: { mirrorWeight: 10 }, analysis: { mirror: true } }],
  ['with cookies', { status: { weight: 5 }, analysis: { sessionAffinity: { cookieName: 'seen' } } }],
  ['where each caller has its side', { status: { weight: 5 }, analysis: { stickiness: { principal: true } } }],
  ['after another revision failed', { status: { failedRevision: 'other' } }],
];

describe.each(TRIALS)('%s', (_, trial) => {
  test('the address of the canary has the new revision alone', () => {
    expect(sideOf('canary', trial)).toEqual({ ...ALL_NEW, seen: BOTH });
  });

  test('the address of the stable one keeps to it', () => {
    expect(sideOf('stable', trial)).toEqual({ ...ALL_OLD, fixed: 'stable', seen: BOTH });
  });
});

describe('the address of the canary', () => {
  test('leads to the stable revision once the new one has failed', () => {
    expect(sideOf('canary', { status: { weight: 0, failedRevision: 'new' } })).toEqual({
      ...ALL_OLD,
      fixed: 'canary',
      seen: BOTH,
    });
  });

  test('leads to the stable revision while nothing is released', () => {
    const { canaryRevision: _, ...rest } = progress;
    const found = sideOf('canary', { pods: [stable], status: { ...rest, canaryRevision: '' } });
    expect(found).toMatchObject({ fixed: 'canary', next: undefined, weight: 0, seen: ['s old'] });
  });

  test('leads to the stable revision while no pod of the new one can serve', () => {
    const starting = podOf('n', 'new', { gated: true, conditions: { ContainersReady: false } });
    expect(sideOf('canary', { pods: [stable, starting] })).toMatchObject({
      next: undefined,
      weight: 0,
      seen: ['s old'],
    });
  });

  test('leads to the stable revision where the new one does not serve all of its ports', () => {
    const ports = { s: { http: 8080, grpc: 9090 } };
    expect(sideOf('canary', { ports })).toMatchObject({ next: undefined, weight: 0, seen: ['s old'] });
  });

  test('has the new revision before the first request, although no stable pod is left', () => {
    expect(sideOf('canary', { pods: [fresh] })).toEqual({ ...ALL_NEW, seen: ['n new'] });
  });

  test('has nobody when no stable pod is left and the new revision has failed', () => {
    const found = sideOf('canary', { pods: [fresh], status: { weight: 0, failedRevision: 'new' } });
    expect(found).toMatchObject({ next: undefined, seen: [] });
  });
});

test('the address of the stable revision goes with the others to the new one where no stable pod is left', () => {
  expect(sideOf('stable', { pods: [fresh], status: { weight: 5 } })).toEqual({
    ...ALL_NEW,
    fixed: 'stable',
    seen: ['n new'],
  });
});

test('a value that is no side is not in force: the Service is shared out like any other', () => {
  expect(sideOf('neither', { status: { weight: 5 } })).toMatchObject({ fixed: undefined, next: 'new', weight: 5 });
});

test('without a Canary the annotation says nothing', () => {
  const made = service('web-side', labels);
  made.metadata = { ...made.metadata, annotations: { [SIDE_ANNOTATION]: 'canary' } };
  const { services } = buildSnapshot(SETTINGS, [
    { kind: 'Service', object: made },
    { kind: 'EndpointSlice', object: slice('web-side', [stable]) },
    { kind: 'Pod', object: stable },
  ]);
  expect(services.get('web-side.shop.svc.cluster.local')?.split).toBeUndefined();
});
