import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { explainCall } from '../../cli/explain/explain-call.ts';
import type { Outcome } from '../../cli/explain/outcome.ts';
import type { HttpRequest } from '../../cli/explain/request.ts';
import { Draw } from '../../operator/xds/testing/draw.ts';
import { expectedOf, seenOf } from './support/explained-outcome.ts';
import { CLIENTS, type ClientName, ExplainedShop } from './support/explained-shop.ts';
import { randomRequest, randomShop } from './support/random-shop.ts';
import { testIssuer } from './support/test-tokens.ts';

/** By hand: `EXPLAINED_REQUESTS=20000 EXPLAINED_SEED=7`. */
const { EXPLAINED_REQUESTS = '1000', EXPLAINED_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const REQUESTS = Number(EXPLAINED_REQUESTS);
const SEED = Number(EXPLAINED_SEED);
/** Requests of a round, which all meet the same mesh. */
const OF_ROUND = 50;
const LANES = 8;
const MAX_TOLD = 3;

/** Requests are to get through, and to be stopped in every way there is: it goes on until all of that was seen. */
const KINDS = [
  'application',
  'authorization',
  'fault',
  'no-route',
  'unreached',
  'token',
  'redirect',
  'direct-response',
];

describe('what heddle explain says, and what real sidecars do', () => {
  const shop = new ExplainedShop();
  const issuer = testIssuer('ES256', 'a');

  beforeAll(() => shop.start(), 120_000);
  afterAll(() => shop.stop());

  /** What is wrong with a request, if anything; @param tally counts what became of requests */
  async function judge(client: ClientName, request: HttpRequest, tally: Map<string, number>): Promise<unknown> {
    const workload = shop.workload(client);
    const caller = { workload, namespace: workload.namespace, address: '127.0.0.1' };
    const [host = ''] = request.authority.split(':');
    const explained = explainCall(shop.snapshot, { caller, host, port: 80, request, now: Date.now() / 1000 });
    const possible = explained.outcomes
      .filter(({ percent }) => percent > 0)
      .flatMap((outcome: Outcome) => expectedOf(outcome, explained));
    const answer = await shop.ask(client, request);
    const seen = seenOf(answer);
    const kind = seen.split(' ')[0] ?? '';
    tally.set(kind, (tally.get(kind) ?? 0) + 1);
    if (possible.includes(seen)) return undefined;
    return { client, request, possible, seen, body: answer.body.slice(0, 300), outcomes: explained.outcomes };
  }

  test(
    `agree on ${REQUESTS} requests (EXPLAINED_SEED=${SEED})`,
    async () => {
      const tally = new Map<string, number>();
      const problems: unknown[] = [];
      const isWorthIt = () => KINDS.every((kind) => tally.has(kind));
      for (let asked = 0, round = 0; asked < REQUESTS || (asked < 5 * REQUESTS && !isWorthIt()); round++) {
        if (problems.length > 0) break;
        const draw = new Draw(Math.imul(SEED, 7919) + round);
        const objects = randomShop(draw, shop.podPorts, issuer);
        await shop.enforce(objects);
        const left = draw.list(OF_ROUND, OF_ROUND, () => ({
          client: draw.one(CLIENTS).name,
          request: randomRequest(draw, issuer),
        }));
        asked += left.length;
        const work = async (): Promise<void> => {
          for (let next = left.pop(); next !== undefined; next = left.pop()) {
            const problem = await judge(next.client, next.request, tally);
            if (problem !== undefined) problems.push({ round, problem, objects });
          }
        };
        await Promise.all(Array.from({ length: LANES }, work));
      }
      const told = `EXPLAINED_SEED=${SEED}`;
      const texts = problems.slice(0, MAX_TOLD).map((problem) => JSON.stringify(problem));
      expect([told, problems.length, ...texts]).toEqual([told, 0]);
      if (process.env.EXPLAINED_REQUESTS !== undefined) console.info(told, Object.fromEntries([...tally].sort()));
      expect([...tally.keys()]).toEqual(expect.arrayContaining(KINDS));
    },
    120_000 + REQUESTS * 300,
  );
});
