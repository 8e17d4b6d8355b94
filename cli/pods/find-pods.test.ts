import { expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { INJECTION_STATUS_ANNOTATION, PROXY_CONTAINER } from '../../api/pod-names.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { findPod, findPods, readTarget } from './find-pods.ts';

const pod = (namespace: string, name: string, owner: string, { injected = true, ready = true } = {}): V1Pod => ({
  metadata: {
    namespace,
    name,
    labels: { app: owner, 'pod-template-hash': 'abc' },
    annotations: injected ? { [INJECTION_STATUS_ANNOTATION]: '{}' } : {},
    ownerReferences: [
      { kind: 'ReplicaSet', name: `${owner}-v1-abc`, controller: true, apiVersion: 'apps/v1', uid: '1' },
    ],
  },
  spec: { containers: [{ name: 'app' }, ...(injected ? [{ name: PROXY_CONTAINER }] : [])] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const PODS = [
  pod('shop', 'ordering-1', 'ordering', { ready: false }),
  pod('shop', 'ordering-2', 'ordering'),
  pod('shop', 'bare-1', 'bare', { injected: false }),
  pod('bank', 'vault-1', 'vault'),
];
const api = {
  list: (_kind: unknown, { namespace }: { namespace?: string }) =>
    Promise.resolve({ items: PODS.filter(({ metadata }) => metadata?.namespace === namespace), resourceVersion: '' }),
} as unknown as Pick<KubeApi, 'list'>;

test.each([
  ['ordering-1', ['ordering-1']],
  ['pod/ordering-1', ['ordering-1']],
  ['ordering', ['ordering-1', 'ordering-2']],
  ['deployment/ordering-v1', ['ordering-1', 'ordering-2']],
  ['bank/vault', ['vault-1']],
  ['vault-1.bank', ['vault-1']],
])('%s names pods', async (text, names) => {
  expect((await findPods(api, 'shop', text)).map(({ name }) => name)).toEqual(names);
});

test('of a workload the first that is ready is taken', async () => {
  expect((await findPod(api, 'shop', 'ordering')).name).toBe('ordering-2');
});

test.each([
  ['odering', 'there is no pod or workload odering in namespace shop', 'did you mean ordering?'],
  ['pod/ordering', 'there is no pod ordering in namespace shop', /did you mean/],
  ['zzz', 'there is no pod or workload zzz in namespace shop', 'there are: bare-v1, ordering-v1'],
  ['moon/ordering', 'there is no pod or workload ordering in namespace moon', /has no pods; name another/],
  ['bare', 'pod shop/bare-1 has no sidecar', 'see why: heddle describe pod bare-1 -n shop'],
])('%s names none, and is told what there is', async (text, message, next) => {
  await expect(findPods(api, 'shop', text)).rejects.toMatchObject({
    message,
    next: typeof next === 'string' ? next : expect.stringMatching(next),
    code: 1,
  });
});

test('what can be no name is wrong use', () => {
  expect(() => readTarget('a/b/c', 'shop')).toThrow(expect.objectContaining({ code: 2 }));
});
