import { describe, expect, test } from '@jest/globals';
import { flowKey } from '../telemetry/flow-series.ts';
import { encodeLabels } from '../telemetry/testing/encoded-labels.ts';
import { call, failed, ORDERING, SPIFFE, setUp } from './reported-mesh.fixture.ts';

describe('the graph', () => {
  test('has the calls that were made, exactly, from both cumulative reports', async () => {
    const { report, pass, ask } = setUp();
    report('ui-1', { [call()]: 7, [failed]: 2 });
    pass(5000);
    report('ui-1', { [call()]: 10, [failed]: 2 });
    report('ui-2', { [call()]: 1 });
    pass(5000);
    const { edges, nodes, complete, source } = await ask();
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({
      id: 'shop/ui>shop/ordering',
      service: ORDERING,
      protocol: 'http',
      reporter: 'source',
      mtls: 'all',
      golden: { requests: 13, failures: 2, perSecond: 1.3 },
      answers: [
        { code: '200', flags: '-', failed: false, requests: 11 },
        { code: '503', flags: 'UF', failed: true, requests: 2 },
      ],
      revisions: [],
    });
    expect([complete, source]).toEqual([true, 'operator']);
    const served = Object.fromEntries(nodes.map(({ id, served: golden }) => [id, golden?.requests]));
    expect(served).toEqual({ 'shop/ui': undefined, 'shop/ordering': 13, 'other/idle': undefined });
  });

  test('tells durations, revisions, bytes, gRPC and what was not encrypted', async () => {
    const { report, pass, ask } = setUp();
    const canary = call({ upstream_cluster: `outbound|80||${ORDERING}|new`, grpc_response_status: '0' });
    const plain = call({
      upstream_cluster: `outbound|80||${ORDERING}|old`,
      destination_principal: '-',
      grpc_response_status: '14',
    });
    report(
      'ui-1',
      { [canary]: 3, [plain]: 1 },
      {
        durations: [{ key: canary, value: { total: 3, buckets: [{ upperMs: 25, cumulative: 3 }] } }],
        sizes: [
          { key: flowKey('sent', 'http', canary), value: 1000 },
          { key: flowKey('received', 'http', canary), value: 5000 },
        ],
      },
    );
    pass(5000);
    const [edge] = (await ask()).edges;
    expect(edge).toMatchObject({
      protocol: 'grpc',
      mtls: 'some',
      golden: { requests: 4, failures: 1, sentPerSecond: 200, receivedPerSecond: 1000, p50Ms: 17.5 },
      revisions: [
        { revision: 'old', role: 'stable', golden: { requests: 1, failures: 1 } },
        { revision: 'new', role: 'canary', golden: { requests: 3, failures: 0 } },
      ],
    });
  });

  test('tells what each took itself, as its own sidecar saw it, without the calls it made', async () => {
    const { report, pass, ask } = setUp();
    const timed = (key: string, total: number, sumMs: number) => ({
      key,
      value: { total, sumMs, buckets: [{ upperMs: 500, cumulative: total }] },
    });
    const of = (host: string) => call({ upstream_cluster: `outbound|80||${host}`, destination_principal: '-' });
    const served = (principal: string) =>
      encodeLabels({ reporter: 'destination', source_principal: principal, response_code: '200' });
    report(
      'ordering-1',
      {},
      {
        durations: [timed(served(SPIFFE), 15, 5500), timed(served('unknown'), 5, 1500)],
      },
    );
    report('ordering-2', {}, { durations: [timed(of('stock'), 20, 800), timed(of('mail'), 1, 200)] });
    // The ui waited for connections as well, which is not Ordering's time.
    report('ui-1', {}, { durations: [timed(of(ORDERING), 15, 60_000)] });
    pass(5000);
    const own = (await ask()).nodes.map(({ id, ownMs }) => [id, ownMs]).filter(([, ms]) => ms !== undefined);
    // 20 requests, 7 s, of which it waited for 1 s.
    expect(own).toEqual([['shop/ordering', 300]]);
  });

  test('has connections of TCP beside requests', async () => {
    const { report, pass, ask } = setUp();
    const labels = call({ response_code: '0', request_protocol: 'tcp' });
    report('ui-1', {
      [call()]: 1,
      [flowKey('opened', 'tcp', labels)]: 4,
      [flowKey('closed', 'tcp', labels)]: 2,
      [flowKey('opened', 'tcp', call({ response_flags: 'UF,URX', response_code: '0' }))]: 1,
      [flowKey('sent', 'tcp', labels)]: 5000,
    });
    pass(5000);
    const { edges } = await ask();
    expect(edges.map(({ id, protocol }) => [id, protocol])).toEqual([
      ['shop/ui>shop/ordering', 'http'],
      ['shop/ui>shop/ordering#tcp', 'tcp'],
    ]);
    expect(edges[1]?.golden).toMatchObject({ requests: 5, failures: 1, sentPerSecond: 1000 });
  });

  test('has callers without sidecars as one that is unknown, and counts nothing twice', async () => {
    const { report, pass, ask } = setUp();
    const served = (principal: string) =>
      encodeLabels({
        reporter: 'destination',
        source_principal: principal,
        destination_service: ORDERING,
        response_code: '200',
      });
    report('ordering-1', { [served(SPIFFE)]: 5, [served('unknown')]: 3 });
    pass(5000);
    const { edges, nodes } = await ask();
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({ id: 'unknown>shop/ordering', reporter: 'destination', mtls: 'none' });
    expect(edges[0]?.golden.requests).toBe(3);
    expect(nodes.find(({ id }) => id === 'unknown')).toMatchObject({ kind: 'unknown', pods: 0 });
  });

  test('has hosts outside of the mesh, and of a namespace what has to do with it', async () => {
    const { report, pass, ask } = setUp();
    report('ui-1', { [call({ upstream_cluster: 'outbound|443||api.example.com', destination_principal: '-' })]: 1 });
    pass(5000);
    const { edges, nodes } = await ask(60, 'shop');
    expect(edges[0]).toMatchObject({ id: 'shop/ui>host:api.example.com', mtls: 'none' });
    expect(nodes.map(({ id, kind }) => [id, kind])).toEqual([
      ['shop/ui', 'workload'],
      ['shop/ordering', 'workload'],
      ['host:api.example.com', 'host'],
    ]);
    expect((await ask(60, 'other')).edges).toEqual([]);
  });

  test('says what it left out, and what it does not know', async () => {
    const { report, pass, ask } = setUp({ edges: 3 }, ['no report of shop/ui-9 since 40 s']);
    for (let host = 0; host < 5; host++) {
      report(`ui-${host}`, { [call({ upstream_cluster: `outbound|80||host${host}` })]: 1 });
    }
    pass(5000);
    const { edges, complete, missing } = await ask();
    expect(edges).toHaveLength(2);
    expect(complete).toBe(false);
    expect(missing).toEqual([
      'no report of shop/ui-9 since 40 s',
      '3 or more edges are left out: the operator keeps 3',
    ]);
  });

  test('makes rates of the time that is kept, not of all that was asked for', async () => {
    const { report, pass, ask } = setUp();
    for (let minute = 1; minute <= 180; minute++) {
      report('ui-1', { [call()]: minute * 60 });
      pass(60_000);
    }
    const [edge] = (await ask(3 * 3600)).edges;
    expect(edge?.golden.requests).toBeLessThan(3700);
    expect(edge?.golden.perSecond).toBeCloseTo(1, 1);
  });

  test('forgets what is older than it keeps, and gives its numbers to others', async () => {
    const { report, pass, ask, history } = setUp();
    report('ui-1', { [call()]: 1 });
    const before = history.table.length;
    for (let minute = 0; minute < 63; minute++) {
      pass(60_000);
      report('ordering-1', {});
    }
    expect((await ask(3600)).edges).toEqual([]);
    expect(history.table.size).toBe(1);
    report('ui-1', { [call({ upstream_cluster: 'outbound|80||else' })]: 1 });
    expect(history.table.length).toBeLessThanOrEqual(before + 1);
  });
});
