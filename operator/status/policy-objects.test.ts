import { describe, expect, test } from '@jest/globals';
import { PEER_AUTHENTICATION } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { KubeError } from '../../kube/kube-error.ts';
import { Store } from '../../kube/store.ts';
import { KubePolicyObjects, type StoredPolicy } from './policy-objects.ts';

const ref = { kind: 'PeerAuthentication', namespace: 'shop', name: 'p' };

function setUp(apply: KubeApi['apply']) {
  const store = new Store<StoredPolicy>();
  return { store, objects: new KubePolicyObjects({ apply }, [{ kind: PEER_AUTHENTICATION, store }]) };
}

describe('policies at the API server', () => {
  test('are read from their store', () => {
    const { store, objects } = setUp(() => Promise.reject(new Error('not asked')));
    expect(objects.get(ref)).toBeUndefined();
    store.set({ metadata: { name: 'p', namespace: 'shop', uid: 'u' } });
    expect(objects.get(ref)).toEqual({ uid: 'u', status: {} });
    expect(objects.get({ ...ref, kind: 'Canary' })).toBeUndefined();
  });

  test('that have a status of ours are told from all others', () => {
    const { store, objects } = setUp(() => Promise.reject(new Error('not asked')));
    const condition = (type: string) => ({ type, status: 'True' as const, reason: 'R', message: 'm' });
    const withCondition = (name: string, type: string) => {
      const conditions = [{ ...condition(type), lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 1 }];
      store.set({ metadata: { name, namespace: 'shop' }, status: { conditions } });
    };
    withCondition('p', 'Programmed');
    withCondition('q', 'Reconciled');
    store.set({ metadata: { name: 'r', namespace: 'shop' } });
    expect([...objects.withStatus()]).toEqual([ref]);
  });

  test('get their status by server-side apply to the subresource, of the very object that was judged', async () => {
    const calls: unknown[] = [];
    const { objects } = setUp((kind, object, options) => {
      calls.push([kind.plural, object, options]);
      return Promise.resolve(object);
    });
    await objects.applyStatus(ref, 'u', { observedGeneration: 1 });
    const object = { metadata: { name: 'p', namespace: 'shop', uid: 'u' }, status: { observedGeneration: 1 } };
    expect(calls).toEqual([['peerauthentications', object, { fieldManager: 'heddle-status', subresource: 'status' }]]);
  });

  test.each([
    [404, true],
    [409, true],
    [403, false],
  ])('when the API server answers %d, it is gone: %s', async (code, gone) => {
    const { objects } = setUp(() => Promise.reject(new KubeError(code, 'Reason', 'message')));
    const write = objects.applyStatus(ref, 'u', {});
    await (gone ? expect(write).resolves.toBeUndefined() : expect(write).rejects.toThrow('message'));
  });
});
