import { expect, test } from '@jest/globals';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import { SIDE_ANNOTATION } from '../../api/canary-side.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { MeshObject } from '../../operator/mesh/mesh-object.ts';
import { canary, pod, service, slice } from '../../operator/mesh/testing/objects.ts';
import { describeService } from '../describe/described-service.ts';
import { ask, shop } from './testing/shop.ts';

const labels = { app: 'web' };
const podOf = (name: string, revision: string, gated: boolean): V1Pod =>
  pod(name, { deployment: 'web', revision, gated, labels, address: `10.1.0.${name.length}` });
const OLD = podOf('web-1', 'r1', false);
const NEW = podOf('web-02', 'r2', true);

function addressOf(side: string): V1Service {
  const made = service('web-side', labels, { clusterIP: '10.96.7.7' });
  return { ...made, metadata: { ...made.metadata, annotations: { [SIDE_ANNOTATION]: side } } };
}

function mesh(side: string, status: CanaryStatus | undefined, pods: readonly V1Pod[] = [OLD, NEW]) {
  const release = status && canary('web', 'web', { stableRevision: 'r1', ungatedRevisions: ['r1'], ...status });
  return shop([
    ...pods.map((object): MeshObject => ({ kind: 'Pod', object })),
    { kind: 'Service', object: addressOf(side) },
    { kind: 'EndpointSlice', object: slice('web-side', pods) },
    ...(release ? [{ kind: 'Canary', object: release } as const] : []),
  ]);
}

const TRIED: CanaryStatus = { canaryRevision: 'r2', weight: 5 };

test.each<[string, string, CanaryStatus, readonly V1Pod[], string, string]>([
  ['a trial', 'canary', TRIED, [OLD, NEW], 'r2', 'all goes to r2, whatever the weight'],
  [
    'a failure',
    'canary',
    { canaryRevision: 'r2', failedRevision: 'r2' },
    [OLD, NEW],
    'r1',
    'all goes to r1, as r2 has failed',
  ],
  ['no release', 'canary', {}, [OLD], 'r1', 'all goes to r1, as no pod of a new revision can serve'],
  ['a trial', 'stable', TRIED, [OLD, NEW], 'r1', 'all goes to r1'],
  ['no stable pod', 'stable', TRIED, [NEW], 'r2', 'all goes to r2, as no pod of r1 is left'],
])(
  'with %s a request for the address of the side %s goes where it is said to',
  (_, side, status, pods, revision, words) => {
    const snapshot = mesh(side, status, pods);
    const { outcomes, notes } = ask(snapshot, { host: 'web-side' });
    expect(outcomes.map(({ percent, backend }) => [percent, backend?.revision])).toEqual([[100, revision]]);
    const kind = side === 'canary' ? 'new' : 'stable';
    const whole = `Service web-side is the address of the ${kind} revision of Canary shop/web (canary.heddle.dev/side): ${words}`;
    expect(notes).toContain(whole);
    const found = snapshot.services.get('web-side.shop.svc.cluster.local');
    expect(found && describeService(snapshot, found, addressOf(side)).canary).toBe(whole);
  },
);

test('who has no sidecar is told that it reaches the pods that are ready', () => {
  const { outcomes, notes } = ask(mesh('canary', TRIED), { host: 'web-side', plain: true });
  expect(outcomes.map(({ backend }) => backend?.endpoints)).toEqual([['shop/web-1 10.1.0.5:8080']]);
  expect(notes.join()).toContain('who has no sidecar is not led there, but to the pods that are Ready');
});

test.each([
  ['canary', undefined, 'has no effect: no Canary with a stable revision releases a pod'],
  ['new', undefined, '"new" is no side'],
])('an annotation %s that is not in force is named where the Service is described', (side, status, words) => {
  const snapshot = mesh(side, status);
  const found = snapshot.services.get('web-side.shop.svc.cluster.local');
  expect(found && describeService(snapshot, found, addressOf(side)).canary).toContain(words);
});
