import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TrafficLedger } from './ledger.ts';
import type { MetricsMessage } from './metrics-message.ts';
import { encodeLabels } from './testing/encoded-labels.ts';

const HOST = 'shop.test.svc.cluster.local';
const START = 1_700_000_000_000;

const callerKey = (code: string, revision = '|abc') =>
  encodeLabels({ reporter: 'source', response_code: code, upstream_cluster: `outbound|80||${HOST}${revision}` });
const serverKey = (code: string, service = HOST) =>
  encodeLabels({ reporter: 'destination', response_code: code, destination_service: service });

/** A ledger with a clock, and a proxy that reports to it. */
function setUp(stable: string | undefined = undefined) {
  let now = START;
  const gone = new Set<string>();
  const ledger = new TrafficLedger({
    now: () => now,
    workload: (uid) =>
      gone.has(uid) ? undefined : { namespace: 'test', revision: uid.startsWith('new') ? 'abc' : 'old' },
    stableRevision: () => stable,
    isPolicyOf: () => false,
  });
  const report = (uid: string, counts: Record<string, number>, options: Partial<MetricsMessage> = {}) =>
    ledger.record(uid, {
      first: false,
      uptime: undefined,
      requests: Object.entries(counts).map(([key, value]) => ({ key, value })),
      durations: [],
      ...options,
    });
  return {
    ledger,
    report,
    gone,
    /** First report of a process that began at a moment. */
    begin: (uid: string, processStart: number, counts: Record<string, number> = {}) =>
      report(uid, counts, { first: true, uptime: { seconds: (now - processStart) / 1000, processStart } }),
    pass: (ms: number) => {
      now += ms;
    },
    ask: (since = START, revision = 'abc') =>
      ledger.window({ namespace: 'test', services: [HOST], revision, since, until: now + 1000 }),
    now: () => now,
  };
}

describe('the ledger', () => {
  test('takes more series in a message than a function takes arguments', () => {
    const { report } = setUp();
    const counts = Object.fromEntries(Array.from({ length: 150_000 }, (_, index) => [String(index), 1]));
    expect(() => report('old-1', counts)).not.toThrow();
  });

  test('counts what a proxy counted that began after it', () => {
    const { begin, ask, pass } = setUp();
    pass(5000);
    begin('p', START + 1000, { [callerKey('200')]: 90, [callerKey('503')]: 10 });
    expect(ask().callers).toMatchObject({ requests: 100, failures: 10, reporters: 1 });
  });

  test('knows who called a Service, on whichever revision, and when each proxy last reported', () => {
    const { ledger, begin, pass, now } = setUp('old');
    begin('a', START, { [callerKey('200')]: 1 });
    begin('b', START, { [callerKey('200', '|')]: 0 });
    begin('c', START, { [serverKey('200')]: 1 });
    pass(1000);
    expect([...ledger.callersOf([HOST])]).toEqual(['a', 'b']);
    expect([...ledger.callersOf(['other'])]).toEqual([]);
    expect(ledger.lastReport('c')).toBe(now() - 1000);
    expect(ledger.lastReport('d')).toBeUndefined();
  });

  test('leaves out what was counted before it began', () => {
    const { begin, report, ask, pass } = setUp();
    pass(1000);
    begin('p', START - 60_000, { [callerKey('200')]: 1000 });
    expect(ask().callers.requests).toBe(0);
    pass(5000);
    report('p', { [callerKey('200')]: 1007, [callerKey('500')]: 2 });
    expect(ask().callers).toMatchObject({ requests: 9, failures: 2 });
  });

  test('counts what a proxy counted that began right after it, though its uptime is rounded up', () => {
    const { report, ask, pass } = setUp();
    pass(1100);
    // It began at 100 ms: Envoy takes the second it began in from the one that it is in.
    report('p', { [callerKey('200')]: 7 }, { first: true, uptime: { seconds: 2, processStart: START - 900 } });
    expect(ask().callers.requests).toBe(7);
  });

  test('leaves out what a proxy counted long ago, when another replica may have heard of it', () => {
    const { begin, report, ask, pass } = setUp();
    pass(100_000);
    begin('p', START + 10_000, { [callerKey('200')]: 1000 });
    expect(ask().callers.requests).toBe(0);
    pass(5000);
    report('p', { [callerKey('200')]: 1003 });
    expect(ask().callers.requests).toBe(3);
    // It goes to another replica, which counts 500, and comes back.
    pass(120_000);
    begin('p', START + 10_000, { [callerKey('200')]: 1503 });
    expect(ask().callers.requests).toBe(3);
    pass(5000);
    report('p', { [callerKey('200')]: 1504 });
    expect(ask().callers.requests).toBe(4);
  });

  test('takes counters of a restarted proxy as new, though they are greater than the old ones', () => {
    const { begin, ask, pass } = setUp();
    pass(2000);
    begin('p', START + 1000, { [callerKey('200')]: 10 });
    pass(60_000);
    begin('p', START + 50_000, { [callerKey('200')]: 25 });
    expect(ask().callers.requests).toBe(35);
  });

  test('counts nothing twice when the stream breaks and the proxy goes on', () => {
    const { begin, ask, pass } = setUp();
    pass(2000);
    begin('p', START + 1000, { [callerKey('200')]: 10 });
    pass(5000);
    begin('p', START + 1900, { [callerKey('200')]: 25 });
    expect(ask().callers.requests).toBe(25);
  });

  test('waits for the uptime when a flush comes in several messages', () => {
    const { report, ask, pass } = setUp();
    pass(5000);
    report('p', { [callerKey('200')]: 10 }, { first: true });
    expect(ask().callers.requests).toBe(0);
    report('p', { [callerKey('500')]: 1 }, { uptime: { seconds: 2, processStart: START + 3000 } });
    expect(ask().callers).toMatchObject({ requests: 11, failures: 1 });
  });

  test('keeps what a counter that vanished had counted, and goes on when it is back', () => {
    const { begin, report, ask, pass } = setUp();
    pass(2000);
    begin('p', START + 1000, { [callerKey('500')]: 4 });
    pass(5000);
    report('p', { [callerKey('200')]: 1 });
    expect(ask().callers).toMatchObject({ requests: 5, failures: 4 });
    pass(5000);
    report('p', { [callerKey('500')]: 6 });
    expect(ask().callers).toMatchObject({ requests: 7, failures: 6 });
  });

  test('finds what the revision’s own sidecars served, whether or not they know the Service', () => {
    const { begin, ask, pass } = setUp();
    pass(2000);
    begin('new-1', START + 1000, {
      [serverKey('200')]: 3,
      [serverKey('200', 'unknown')]: 4,
      [serverKey('200', 'other')]: 9,
    });
    begin('p', START + 1000, { [serverKey('200')]: 100 });
    expect(ask().served).toMatchObject({ requests: 7, reporters: 1 });
    expect(ask(START, 'old').served).toMatchObject({ requests: 100 });
  });

  test('gives calls of the unsplit cluster to the stable revision', () => {
    const { begin, ask, pass } = setUp('old');
    pass(2000);
    begin('p', START + 1000, { [callerKey('200', '')]: 5, [callerKey('200')]: 1 });
    expect(ask(START, 'old').callers.requests).toBe(5);
    expect(ask().callers.requests).toBe(1);
  });

  test('is not complete for a window that began before it did', () => {
    const { ask, pass } = setUp();
    pass(1000);
    expect(ask(START - 1).complete).toBe(false);
    expect(ask(START).complete).toBe(true);
  });

  test('is not complete while a proxy is silent, until it is lost or its pod is gone', () => {
    const { begin, gone, ask, pass } = setUp();
    pass(2000);
    begin('p', START + 1000, { [callerKey('200')]: 5 });
    expect(ask().complete).toBe(true);
    pass(20_000);
    expect(ask().complete).toBe(false);
    gone.add('p');
    expect(ask().complete).toBe(true);
    gone.clear();
    pass(60_000);
    expect(ask().complete).toBe(true);
  });

  test('forgets what is older than a quarter of an hour, and says so', () => {
    const { begin, report, ask, pass, now } = setUp();
    pass(2000);
    begin('p', START + 1000, { [callerKey('200')]: 5 });
    pass(16 * 60_000);
    report('p', { [callerKey('200')]: 6 });
    expect(ask()).toMatchObject({ callers: { requests: 1 }, complete: false });
    expect(ask(now() - 1000).complete).toBe(true);
  });

  test('adds adjoining windows up to the whole, whatever is reported when', () => {
    const events = fc.array(
      fc.record({
        after: fc.integer({ min: 0, max: 7000 }),
        grow: fc.nat({ max: 50 }),
        fail: fc.nat({ max: 5 }),
        what: fc.constantFrom('report', 'report', 'report', 'restart', 'reconnect'),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(events, fc.integer({ min: 0, max: 200_000 }), (list, cut) => {
        const { ledger, begin, report, pass, now } = setUp();
        pass(2000);
        let start = START + 1000;
        let [good, bad, allGood, allBad] = [0, 0, 0, 0];
        begin('p', start);
        for (const { after, grow, fail, what } of list) {
          pass(after + (what === 'restart' ? 4000 : 0));
          if (what === 'restart') {
            [good, bad, start] = [0, 0, now()];
          }
          good += grow;
          bad += fail;
          allGood += grow;
          allBad += fail;
          const counts = { [callerKey('200')]: good, [callerKey('503')]: bad };
          if (what === 'report') {
            report('p', counts);
          } else {
            begin('p', start, counts);
          }
        }
        const query = { namespace: 'test', services: [HOST], revision: 'abc' };
        const middle = START + cut;
        const end = now() + 1001;
        const first = ledger.window({ ...query, since: START, until: Math.min(middle, end) }).callers;
        const second = ledger.window({ ...query, since: middle, until: end }).callers;
        expect(first.requests + second.requests).toBe(allGood + allBad);
        expect(first.failures + second.failures).toBe(allBad);
      }),
    );
  });
});
