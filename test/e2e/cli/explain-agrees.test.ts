import { afterAll, describe, expect } from '@jest/globals';
import { connect } from '../../../cli/cluster-options.ts';
import { explainInCluster } from '../../../cli/explain/explain-in-cluster.ts';
import type { HttpRequest } from '../../../cli/explain/request.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import { Draw } from '../../../operator/xds/testing/draw.ts';
import { expectedOf, seenOf } from '../../feature/support/explained-outcome.ts';
import { SERVICES } from '../../feature/support/explained-shop.ts';
import { randomRequest, randomShop } from '../../feature/support/random-shop.ts';
import { testIssuer } from '../../feature/support/test-tokens.ts';
import { Dashboard } from '../support/dashboard.ts';
import { clusterSetup, clusterTest, useNamespace } from '../support/namespace.ts';
import { type Asked, POD_PORT, RandomShopInCluster } from '../support/random-shop-in-cluster.ts';

/** By hand: `EXPLAINED_SEED=7`. */
const SEED = Number(process.env.EXPLAINED_SEED ?? Date.now() % 1_000_000_007);
const ROUNDS = 4;
const OF_ROUND = 25;
const CALLERS = ['ui', 'batch'] as const;
type Caller = (typeof CALLERS)[number];

const shop = useNamespace('shop');
const other = useNamespace('shop-other');
const issuer = testIssuer('ES256', 'a');
let dashboard: Dashboard;
const world = new RandomShopInCluster(shop, other, () => dashboard);

clusterSetup(
  [shop, other],
  async () => {
    dashboard = await Dashboard.open(shop.kubectl);
    await world.start();
  },
  180_000,
);
afterAll(() => dashboard?.close());

/** Names of Services. */
const HOSTS: readonly string[] = [...SERVICES.map(({ name }) => name), 'front'];

interface Question {
  readonly from: Caller;
  readonly request: HttpRequest;
  /** What explain says that may come. */
  readonly possible: readonly string[];
}

/** Draws a request to a name that its caller can resolve, by its namespace's DNS. */
function draw(source: Draw): Omit<Question, 'possible'> {
  for (;;) {
    const from = source.one(CALLERS);
    const request = world.here(randomRequest(source, issuer));
    const [name = '', namespace] = hostOf(request).split('.');
    const isThere = HOSTS.includes(name) && (namespace === shop.name || (namespace === undefined && from === 'ui'));
    if (isThere) return { from, request };
  }
}

const hostOf = ({ authority }: HttpRequest): string => authority.split(':')[0] ?? '';

/** Asks the cluster for each kind of object once: all questions of a round are about the same mesh. */
function remembering(api: KubeApi): KubeApi {
  const answers = new Map<string, Promise<unknown>>();
  const once = (name: 'get' | 'list') => (kind: object, what: unknown) => {
    const key = JSON.stringify([name, kind, what]);
    const answer = answers.get(key) ?? (api[name] as (...args: unknown[]) => Promise<unknown>).call(api, kind, what);
    answers.set(key, answer);
    return answer;
  };
  return { get: once('get'), list: once('list') } as unknown as KubeApi;
}

/** What `heddle explain` says of requests, each as what a caller would see. */
async function explained(asked: readonly Omit<Question, 'possible'>[]): Promise<Question[]> {
  const { HEDDLE_TEST_CONTEXT: context, HEDDLE_TEST_KUBECONFIG: kubeconfig } = process.env;
  const cluster = await connect({ ...(context && { context }), ...(kubeconfig && { kubeconfig }) });
  const api = remembering(cluster.api);
  const questions: Question[] = [];
  for (const { from, request } of asked) {
    const namespace = from === 'ui' ? shop.name : other.name;
    const { explanation } = await explainInCluster(
      { ...cluster, api, namespace },
      {
        from,
        destination: { host: hostOf(request), port: 80, path: request.path, scheme: 'http' },
        method: request.method,
        headers: [['host', request.authority], ...request.headers],
        live: false,
      },
    );
    const possible = explanation.outcomes
      .filter(({ percent }) => percent > 0)
      .flatMap((outcome) => expectedOf(outcome, explanation))
      // The shop does not say what path it was asked for.
      .map((text) => (text.startsWith('application ') ? text.split(' ').slice(0, 2).join(' ') : text));
    questions.push({ from, request, possible });
  }
  cluster.api.close();
  return questions;
}

/** What became of requests, made by the pods of the shop. */
async function made(questions: readonly Question[]): Promise<string[]> {
  const seen = new Map<Question, string>();
  const ask = async (from: Caller): Promise<void> => {
    const own = questions.filter((question) => question.from === from);
    const asked = own.map(({ request }): Asked => {
      const { method, path, authority, headers } = request;
      return { host: hostOf(request), method, path, headers: [['host', authority], ...headers].flat() as string[] };
    });
    const answers = own.length === 0 ? [] : await world.ask(from, asked);
    for (const [index, question] of own.entries()) {
      const answer = { status: 0, headers: {}, body: '', ...answers[index], ms: 0 };
      const pod = /^\{"service":"inventory".*"pod":"([^"]+)"/.exec(answer.body)?.[1];
      seen.set(question, pod === undefined ? seenOf(answer) : `application ${pod}`);
    }
  };
  await Promise.all(CALLERS.map(ask));
  return questions.map((question) => seen.get(question) ?? '');
}

describe('what heddle explain says, and what becomes of requests in the cluster', () => {
  clusterTest(`agree on ${ROUNDS * OF_ROUND} requests (EXPLAINED_SEED=${SEED})`, [shop, other], async () => {
    const kinds = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const source = new Draw(Math.imul(SEED, 7919) + round);
      await world.enforce(randomShop(source, [POD_PORT, 80, 9000], issuer));
      let left = await explained(source.list(OF_ROUND, OF_ROUND, () => draw(source)));
      // A connection between sidecars from before a change is under the rules of then for one answer more, so who disagrees is asked again.
      await waitUntil(`round ${round} to agree (EXPLAINED_SEED=${SEED})`, async () => {
        const seen = await made(left);
        const wrong = left.map(({ possible }, index) => !possible.includes(seen[index] ?? ''));
        for (const [index, text] of seen.entries()) if (!wrong[index]) kinds.add(text.split(' ')[0] ?? '');
        const told = left
          .map((question, index) => ({ ...question, seen: seen[index] }))
          .filter((_, index) => wrong[index]);
        left = left.filter((_, index) => wrong[index]);
        return left.length === 0 ? undefined : JSON.stringify(told);
      });
    }
    // It was worth it: some got through, and some did not. Which ways there are of the latter is left to the seed.
    expect(kinds).toContain('application');
    expect(kinds.size).toBeGreaterThan(1);
  });
});
