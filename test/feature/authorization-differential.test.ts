import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Outcome, PairJudge } from './support/authorization-pair.ts';
import { type PlannedRequest, type PortPlan, planRound, type Round } from './support/authorization-round.ts';
import { PRINCIPALS } from './support/authorization-vocabulary.ts';
import { AuthorizationWorld, send } from './support/authorization-world.ts';
import { malformation } from './support/malformed-request.ts';
import type { Http1Line, Http2Line } from './support/mesh-callers.ts';

/** By hand: `AUTHORIZATION_PAIRS=100000 AUTHORIZATION_SEED=7`. */
const { AUTHORIZATION_PAIRS = '3600', AUTHORIZATION_SEED = String(Date.now() % 1_000_000_007) } = process.env;
const PAIRS = Number(AUTHORIZATION_PAIRS);
const SEED = Number(AUTHORIZATION_SEED);
const PORTS = { http: 28, auto: 5, tcp: 20, other: 1 };
/** Ports that are called at a time. */
const LANES = 12;
/** Problems that are told in full. */
const MAX_TOLD = 3;

describe('authorization, by Envoy and by a reference', () => {
  const world = new AuthorizationWorld();
  const judge = new PairJudge(world);
  let count = 0;

  beforeAll(() => world.start(PORTS, PRINCIPALS), 120_000);
  afterAll(() => world.stop());

  /**
   * One request after the other, each caller on connections of its own that are kept. Of HTTP/2 Envoy ends the connection for one that is malformed, but a
   * second later: they have connections of their own, beside the others.
   */
  async function callPort({ port, requests, connections }: PortPlan, { policies }: Round): Promise<Outcome[]> {
    const lines = new Map<string, Http1Line | Http2Line>();
    const beside: Promise<Outcome>[] = [];
    const outcomes: Outcome[] = [];
    const ask = async (line: Http1Line | Http2Line, { caller, request }: PlannedRequest): Promise<Outcome> => {
      const pair = String(count++);
      return judge.judgeRequest(policies, port, caller, request, pair, await send(line, request, pair));
    };
    const askAlone = async (planned: PlannedRequest): Promise<Outcome> => {
      const line = await world.connect(planned.caller, port, planned.request.protocol);
      return ask(line, planned).finally(() => line.close());
    };
    for (const planned of requests) {
      const { caller, request } = planned;
      const isHttp2 = request.protocol === 'HTTP/2';
      if (isHttp2 && malformation(request) !== undefined) {
        beside.push(askAlone(planned));
        continue;
      }
      const key = JSON.stringify([caller, isHttp2]);
      const known = lines.get(key);
      if (known?.usable === false) known.close();
      const line = known?.usable === true ? known : await world.connect(caller, port, request.protocol);
      lines.set(key, line);
      outcomes.push(await ask(line, planned));
    }
    for (const line of lines.values()) line.close();
    for (const caller of connections) {
      outcomes.push(judge.judgeConnection(policies, port, caller, await world.sayTcp(caller, port)));
    }
    return [...outcomes, ...(await Promise.all(beside))];
  }

  test(`agree on ${PAIRS} pairs of policies and requests (AUTHORIZATION_SEED=${SEED})`, async () => {
    const tally = new Map<string, number>();
    const problems: string[] = [];
    let total = 0;
    for (let number = 0; total < PAIRS && problems.length === 0; number++) {
      const round = planRound(SEED, number, world.called);
      await world.enforce(round.policies, number);
      const left = [...round.plans];
      const work = async (): Promise<void> => {
        for (let plan = left.pop(); plan !== undefined; plan = left.pop()) {
          for (const { kind, problem } of await callPort(plan, round)) {
            total++;
            tally.set(kind, (tally.get(kind) ?? 0) + 1);
            if (problem !== undefined) problems.push(`round ${number}: ${JSON.stringify(problem)}`);
          }
        }
      };
      await Promise.all(Array.from({ length: LANES }, work));
    }
    const told = `AUTHORIZATION_SEED=${SEED} after ${total} pairs`;
    expect([told, problems.length, ...problems.slice(0, MAX_TOLD)]).toEqual([told, 0]);
    // What nobody can call denied, or allowed, would show nothing.
    const share = (end: string): number =>
      [...tally].reduce((sum, [kind, times]) => sum + (kind.endsWith(end) ? times : 0), 0) / total;
    expect(share('allowed')).toBeGreaterThan(0.2);
    expect(share('denied')).toBeGreaterThan(0.2);
    expect(world.strays).toEqual([]);
    if (process.env.AUTHORIZATION_PAIRS !== undefined) console.info(told, Object.fromEntries([...tally].sort()));
  }, 3_600_000);
});
