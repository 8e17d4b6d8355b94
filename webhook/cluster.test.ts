import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../kube/logger.ts';
import { answerJson, FaultServer } from '../kube/testing/fault-server.ts';
import { WatchedCluster } from './cluster.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Answers = Readonly<Record<string, unknown>>;

/** An API server that has these objects by path; lists that it does not know are empty, watches stay open, the rest is 404. */
async function apiServer(answers: Answers) {
  const server = new FaultServer((request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://x');
    if (url.searchParams.has('watch')) return void response.writeHead(200).write('\n');
    const answer = answers[url.pathname];
    if (typeof answer === 'number') return answerJson(response, { kind: 'Status', code: answer, reason: 'X' }, answer);
    if (answer) return answerJson(response, answer);
    if (url.searchParams.has('limit')) return answerJson(response, list());
    answerJson(response, { kind: 'Status', code: 404, reason: 'NotFound' }, 404);
  });
  const api = await server.start();
  cleanups.push(() => server.stop());
  return { api, server };
}

const list = (...items: unknown[]) => ({ metadata: { resourceVersion: '1' }, items });
const namespace = (name: string, labels: Record<string, string> = {}) => ({
  metadata: { name, labels, uid: name, resourceVersion: '1' },
});

async function watch(answers: Answers) {
  const { api, server } = await apiServer(answers);
  const cluster = new WatchedCluster(api, silentLogger);
  cleanups.push(() => cluster.stop());
  await cluster.start();
  return { cluster, server };
}

const NAMESPACES = '/api/v1/namespaces';
const INJECTORS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

describe('WatchedCluster', () => {
  test('knows the labels of a namespace without asking again', async () => {
    const { cluster, server } = await watch({ [NAMESPACES]: list(namespace('shop', { a: 'b' })) });
    expect(await cluster.namespace('shop')).toEqual({ name: 'shop', labels: { a: 'b' }, istioInstalled: false });
    expect(server.requests.filter((url) => url.includes('/namespaces/'))).toEqual([]);
    expect(cluster.notReady()).toEqual([]);
  });

  test('asks for a namespace it has not heard of, and takes one that is gone as unlabelled', async () => {
    const { cluster } = await watch({ [`${NAMESPACES}/fresh`]: namespace('fresh', { a: 'b' }) });
    expect((await cluster.namespace('fresh')).labels).toEqual({ a: 'b' });
    expect((await cluster.namespace('gone')).labels).toEqual({});
  });

  describe('of a pod of a Canary', () => {
    const canary = (status?: object) => ({
      metadata: { name: 'orders', namespace: 'shop', uid: 'c', resourceVersion: '1' },
      spec: { targetRef: { kind: 'Deployment', name: 'orders' } },
      ...(status && { status }),
    });
    const prepared = { ungatedRevisions: ['old'], conditions: [{ type: 'TargetReady', status: 'True' }] };
    const podOf = (revision: string) => ({
      metadata: {
        labels: { 'pod-template-hash': revision },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `orders-${revision}`, uid: 'r', controller: true },
        ],
      },
    });
    const CANARIES = '/apis/heddle.dev/v1alpha1/canaries';
    const ORDERS = '/apis/heddle.dev/v1alpha1/namespaces/shop/canaries/orders';

    test.each<[string, object | undefined, Answers, string, boolean, number]>([
      ['is gated when it is of a revision that is not released', prepared, {}, 'new', true, 0],
      ['is not when it is of one that is', prepared, {}, 'old', false, 0],
      ['is gated when it was prepared a moment ago', undefined, { [ORDERS]: canary(prepared) }, 'new', true, 1],
      ['is not when it is not prepared', undefined, { [ORDERS]: canary() }, 'new', false, 1],
      ['is not when nobody can be asked', undefined, { [ORDERS]: 503 }, 'new', false, 1],
    ])('%s', async (_, status, answers, revision, gated, asked) => {
      const { cluster, server } = await watch({ [CANARIES]: list(canary(status)), ...answers });
      expect(await cluster.isGated(podOf(revision), 'shop')).toBe(gated);
      expect(new Set(server.requests.filter((url) => url.includes(ORDERS))).size).toBe(asked);
    });
  });

  test('decides nothing when it cannot ask', async () => {
    const { cluster } = await watch({ [`${NAMESPACES}/fresh`]: 403 });
    await expect(cluster.namespace('fresh')).rejects.toThrow();
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ['its plain name', { name: 'istio-sidecar-injector' }, true],
    ['the name of a revision', { name: 'istio-sidecar-injector-1-20' }, true],
    ['the name of a tag', { name: 'istio-revision-tag-default' }, true],
    ['its label', { name: 'x', labels: { app: 'sidecar-injector' } }, true],
    ['nothing of it', { name: 'heddle-webhook' }, false],
  ])('sees an Istio injector by %s', async (_, metadata, expected) => {
    const { cluster } = await watch({
      [INJECTORS]: list({ metadata: { ...metadata, uid: 'u', resourceVersion: '1' } }),
    });
    expect((await cluster.namespace('any')).istioInstalled).toBe(expected);
  });

  test('names other Canaries of a target', async () => {
    const named = (name: string, kind: string) => ({
      metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1' },
      spec: { targetRef: { kind, name: 'ordering' } },
    });
    const { cluster } = await watch({
      '/apis/heddle.dev/v1alpha1/canaries': list(
        named('old', 'StatefulSet'),
        named('new', 'StatefulSet'),
        named('other', 'Deployment'),
      ),
    });
    const { spec } = named('new', 'StatefulSet') as unknown as { spec: Parameters<typeof cluster.rivalsOf>[2] };
    expect(cluster.rivalsOf('shop', 'new', spec)).toEqual([
      expect.stringMatching(/^spec\.targetRef: Canary old names StatefulSet ordering too.*delete one/),
    ]);
  });

  test('is not ready before the first lists', async () => {
    const { api } = await apiServer({});
    expect(new WatchedCluster(api, silentLogger).notReady()).toHaveLength(3);
  });
});
