import { expect, test } from '@jest/globals';
import { dryRunToken } from '../../proxy/names.ts';
import { dryRunKey } from '../telemetry/dry-run.ts';
import { TrafficLedger } from '../telemetry/ledger.ts';
import { dryRunReport } from './dry-run-report.ts';

const POLICY = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'no.deletes' };
const MINUTE_MS = 60_000;

test('tells what was denied of all in the last ten minutes, and no more', () => {
  let now = 1_000_000_000;
  const workload = { namespace: 'shop', revision: '' };
  const ledger = new TrafficLedger({ workload: () => workload, stableRevision: () => undefined, now: () => now });
  const report = dryRunReport(ledger, () => now);
  const uptime = (seconds: number) => ({ seconds, processStart: 1_000_000_000 });
  const count = (denied: number, allowed: number, seconds: number) => {
    const family = (outcome: string) => `rbac.${dryRunToken(POLICY.namespace, POLICY.name)}.shadow_${outcome}`;
    const requests = [
      { key: dryRunKey(family('denied'), '') ?? '', value: denied },
      { key: dryRunKey(family('allowed'), '') ?? '', value: allowed },
    ];
    ledger.record('pod', { first: seconds === 0, uptime: uptime(seconds), requests, durations: [] });
  };
  expect(report(POLICY)).toBe('It would have denied 0 of 0 requests and connections in the last 1 min.');
  count(0, 0, 0);
  now += MINUTE_MS;
  count(41, 59, 60);
  now += MINUTE_MS;
  expect(report(POLICY)).toBe('It would have denied 41 of 100 requests and connections in the last 2 min.');
  now += 8 * MINUTE_MS;
  count(42, 59, 600);
  now += 3 * MINUTE_MS;
  expect(report(POLICY)).toBe('It would have denied 1 of 1 request or connection in the last 10 min.');
});
