import { expect, test } from '@jest/globals';
import { dryRunToken } from '../../proxy/names.ts';
import { dryRunKey } from '../telemetry/dry-run.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import { refusalKey } from '../telemetry/refusals.ts';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import { policyFindings } from './policy-findings.ts';

const POLICY = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'no.deletes' };
const MINUTE_MS = 60_000;

/** A proxy whose counters are read, and what is said of its policy. */
function setUp() {
  const start = 1_000_000_000;
  let now = start;
  const ledger = new TrafficLedger({
    workload: () => ({ namespace: 'shop', revision: '' }),
    stableRevision: () => undefined,
    isPolicyOf: (_uid, { name }) => name === POLICY.name,
    now: () => now,
  });
  const findings = policyFindings(ledger, () => now);
  return {
    say: (dryRun: boolean) => findings(POLICY, dryRun),
    pass: (ms: number) => {
      now += ms;
    },
    count: (counts: readonly (readonly [string, number])[]) => {
      const requests = counts.map(([key, value]) => ({ key, value }));
      const uptime = { seconds: (now - start) / 1000, processStart: start };
      ledger.record('pod', { first: now === start, uptime, requests, durations: [] });
    },
  };
}

test('of one in dry run: what it would have denied of all in the last ten minutes, and no more', () => {
  const { say, pass, count } = setUp();
  const key = (outcome: string) =>
    dryRunKey(`rbac.${dryRunToken(POLICY.namespace, POLICY.name)}.shadow_${outcome}`, '') ?? '';
  const asked = (denied: number, allowed: number) =>
    count([
      [key('denied'), denied],
      [key('allowed'), allowed],
    ]);
  expect(say(true)).toBe('It would have denied 0 of 0 requests and connections in the last 1 min.');
  asked(0, 0);
  pass(MINUTE_MS);
  asked(41, 59);
  pass(MINUTE_MS);
  expect(say(true)).toBe('It would have denied 41 of 100 requests and connections in the last 2 min.');
  pass(8 * MINUTE_MS);
  asked(42, 59);
  pass(3 * MINUTE_MS);
  expect(say(true)).toBe('It would have denied 1 of 1 request or connection in the last 10 min.');
});

const refusal = (among: number, name = POLICY.name) =>
  refusalKey(encodeLabels({ ...POLICY, name, reason: 'deny', among: String(among) }));

test('of one in force: what it refused, and of how much of that nobody knows if it was another', () => {
  const { say, pass, count } = setUp();
  count([]);
  expect(say(false)).toBeUndefined();
  pass(MINUTE_MS - 1000);
  count([[refusal(1), 1]]);
  pass(1000);
  expect(say(false)).toBe('It refused 1 request or connection in the last 1 min.');
  pass(MINUTE_MS);
  count([
    [refusal(1), 29],
    [refusal(3), 12],
  ]);
  pass(1000);
  expect(say(false)).toBe(
    'It refused 41 requests and connections in the last 2 min; of 12 others may have decided as well.',
  );
  pass(11 * MINUTE_MS);
  expect(say(false)).toBeUndefined();
});

test('a sentence stands for half a minute, unless the policy is in dry run now', () => {
  const { say, pass, count } = setUp();
  count([[refusal(1), 1]]);
  pass(1000);
  const first = say(false);
  count([[refusal(1), 2]]);
  pass(1000);
  expect(say(false)).toBe(first);
  expect(say(true)).toContain('would have denied');
  pass(MINUTE_MS / 2);
  expect(say(false)).toContain('refused 2 requests');
});

test('a proxy is not heard on policies that it does not have', () => {
  const { say, pass, count } = setUp();
  count([[refusal(1, 'other'), 5]]);
  pass(1000);
  expect(say(false)).toBeUndefined();
});
