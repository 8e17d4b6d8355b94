import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { blockList } from '../outward/destination.ts';
import { roleIn } from './edge-totals.ts';
import { GraphSource, strangerFacts } from './graph-source.ts';
import { PrometheusClient } from './prometheus-client.ts';
import { PrometheusFigures } from './prometheus-figures.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Figures from a server that answers as told. */
async function figuresFrom(
  answer: RequestListener,
  timeoutMs = 20_000,
): Promise<{ url: string; figures: PrometheusFigures }> {
  const server = createServer(answer);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, figures: at(url, timeoutMs) };
}

function at(url: string, timeoutMs = 20_000, allowed: readonly string[] = ['127.0.0.0/8']): PrometheusFigures {
  const client = new PrometheusClient({ url, timeoutMs, allowed: blockList(allowed), authorization: async () => '' });
  return new PrometheusFigures(client, NAMES, NO_POOLS, () => 1_700_000_000_000);
}

const NO_POOLS = { overflows: () => ({ growths: [], complete: true }) };
const NAMES = {
  ofService: (host: string) => (host === 'ordering.shop.svc' ? 'shop/ordering' : `host:${host}`),
  hasSidecars: (principal: string) => principal === 'spiffe://td/ns/shop/sa/ui',
};

const edge = (more: object = {}) => ({
  reporter: 'source',
  source_workload_namespace: 'shop',
  source_canonical_service: 'ui',
  destination_workload_namespace: 'shop',
  destination_canonical_service: 'ordering',
  destination_principal: 'spiffe://td/ns/shop/sa/ordering',
  destination_service: 'ordering.shop.svc',
  response_code: '200',
  response_flags: '-',
  ...more,
});

/** Answers queries of the metric that a series is of. */
function answerOf(series: Readonly<Record<string, readonly (readonly [object, string])[]>>): RequestListener {
  return async (request, response) => {
    const query = (await request.toArray()).join('');
    const found = Object.entries(series).find(([metric]) => query.includes(metric))?.[1] ?? [];
    const result = found.map(([metric, value]) => ({ metric, value: [1, value] }));
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  };
}

describe('figures of a Prometheus', () => {
  test('are edges, of what each side counted once', async () => {
    const requests: [object, string][] = [
      [edge(), '9.7'],
      [
        edge({
          response_code: '503',
          response_flags: 'UH',
          destination_canonical_service: 'unknown',
          destination_principal: 'unknown',
        }),
        '2',
      ],
      [edge({ reporter: 'destination', source_principal: 'spiffe://td/ns/shop/sa/ui' }), '10'],
      [edge({ reporter: 'destination', source_canonical_service: 'unknown', source_principal: 'unknown' }), '3'],
      [
        edge({
          destination_workload_namespace: 'unknown',
          destination_service: 'unknown',
          destination_service_name: 'PassthroughCluster',
        }),
        '1',
      ],
    ];
    const buckets: [object, string][] = [
      [edge({ le: '5' }), '5'],
      [edge({ le: '10' }), '10'],
      [edge({ le: '+Inf' }), '10'],
      [edge({ reporter: 'destination', source_principal: 'spiffe://td/ns/shop/sa/ui', le: '+Inf' }), '10'],
    ];
    const served = { reporter: 'destination', source_principal: 'spiffe://td/ns/shop/sa/ui' };
    const called = { source_canonical_service: 'ordering', destination_canonical_service: 'inventory' };
    const sums: [object, string][] = [
      [edge(served), '480'],
      [edge(called), '80'],
    ];
    const { figures } = await figuresFrom(
      answerOf({ _bucket: buckets, istio_request_duration_milliseconds_sum: sums, istio_requests_total: requests }),
    );
    const graph = new GraphSource({
      figures,
      nodes: () => ['shop/ui', 'shop/ordering'].map((id) => ({ ...strangerFacts(id), pods: 1, connected: 1 })),
      roleOf: () => undefined,
      saturation: () => undefined,
      pools: () => [],
    });
    const { edges, nodes, source, complete, seconds } = await graph.graph({ seconds: 60, namespace: undefined });
    expect([source, complete, seconds]).toEqual(['prometheus', true, 60]);
    expect(edges.map(({ id, golden, mtls }) => [id, golden.requests, golden.failures, mtls])).toEqual([
      ['shop/ui>shop/ordering', 12, 2, 'all'],
      ['unknown>shop/ordering', 3, 0, 'none'],
      ['shop/ui>host:PassthroughCluster', 1, 0, 'all'],
    ]);
    expect(edges[0]?.golden).toMatchObject({ p50Ms: 5, perSecond: 0.2 });
    expect(nodes.find(({ id }) => id === 'shop/ordering')?.ownMs).toBe(40);
  });

  test('tell revisions apart by the cluster that was called, and none where they do not have it', async () => {
    const of = (revision: string, more: object = {}) =>
      edge({ upstream_cluster: `outbound|80||ordering.shop.svc${revision}`, ...more });
    const requests: [object, string][] = [
      [of(''), '6'],
      [of('|old'), '2'],
      [of('|new', { response_code: '503' }), '3'],
      [edge(), '4'],
    ];
    const buckets: [object, string][] = [
      [of('|old', { le: '5' }), '2'],
      [of('|old', { le: '+Inf' }), '2'],
      [of('|new', { le: '5' }), '0'],
      [of('|new', { le: '100' }), '3'],
      [of('|new', { le: '+Inf' }), '3'],
    ];
    const { figures } = await figuresFrom(answerOf({ _bucket: buckets, istio_requests_total: requests }));
    const split = { stable: 'old', next: 'new' };
    const roleOf = (_: string, revision: string | undefined) => roleIn(split, revision);
    const graph = new GraphSource({ figures, nodes: () => [], roleOf, saturation: () => undefined, pools: () => [] });
    const [view] = (await graph.graph({ seconds: 60, namespace: undefined })).edges;
    expect(view?.golden).toMatchObject({ requests: 15, failures: 3 });
    expect(view?.revisions).toMatchObject([
      { revision: 'old', role: 'stable', golden: { requests: 8, failures: 0, p50Ms: 3 } },
      { revision: 'new', role: 'canary', golden: { requests: 3, failures: 3, p50Ms: 75 } },
    ]);
  });

  test('tell of connections of TCP how they ended, as the operator does', async () => {
    const opened: [object, string][] = [[edge(), '5']];
    const closed: [object, string][] = [
      [edge(), '3'],
      [edge({ response_flags: 'UF,URX', destination_canonical_service: 'unknown' }), '2'],
    ];
    const { figures } = await figuresFrom(
      answerOf({
        istio_tcp_connections_opened_total: opened,
        istio_tcp_connections_closed_total: closed,
        istio_tcp_sent_bytes_total: [[edge(), '600']],
      }),
    );
    const graph = new GraphSource({
      figures,
      nodes: () => [],
      roleOf: () => undefined,
      saturation: () => undefined,
      pools: () => [],
    });
    const { edges } = await graph.graph({ seconds: 60, namespace: undefined });
    expect(edges).toMatchObject([
      {
        id: 'shop/ui>shop/ordering#tcp',
        protocol: 'tcp',
        golden: { requests: 5, receivedPerSecond: 10 },
        answers: [
          { code: '0', flags: '-', failed: false, requests: 3 },
          { code: '0', flags: 'UF,URX', failed: true, requests: 2 },
        ],
      },
    ]);
  });

  test('are there also of a node that nobody called, so that what it uses can be shown beside', async () => {
    const { figures } = await figuresFrom((_, response) => {
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } }));
    });
    const wanted = { of: 'node', seconds: 30, points: 3 } as const;
    const unknown = [null, null, null];
    expect((await figures.series({ ...wanted, id: 'shop/quiet' })).series).toEqual([
      { id: 'shop/quiet', perSecond: unknown, failuresPerSecond: unknown, p50Ms: unknown, p99Ms: unknown },
    ]);
    expect((await figures.series({ ...wanted, id: '*' })).series).toEqual([]);
  });

  test('are series with nothing where Prometheus has nothing', async () => {
    const { figures } = await figuresFrom(async (request, response) => {
      const body = (await request.toArray()).join('');
      const isRequests = body.includes('istio_requests_total');
      const values = [
        [1_699_999_990, '2'],
        [1_700_000_000, 'NaN'],
      ];
      const result = isRequests ? [{ metric: edge(), values }] : [];
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }));
    });
    const view = await figures.series({ of: 'node', id: '*', seconds: 30, points: 3 });
    expect(view).toMatchObject({ at: 1_700_000_000_000, step: 10, source: 'prometheus', complete: true });
    expect(view.series).toMatchObject([{ id: 'shop/ordering', perSecond: [null, 2, null], p50Ms: [null, null, null] }]);
  });
});

describe('a Prometheus that does not answer well is named, and nothing is shown as zero', () => {
  const problem = async (figures: PrometheusFigures) => {
    const { growths, completeness } = await figures.window(60);
    expect([[...growths], completeness.complete, completeness.source]).toEqual([[], false, 'prometheus']);
    expect(completeness.missing).toHaveLength(1);
    const series = await figures.series({ of: 'edge', id: '*', seconds: 60, points: 6 });
    expect([series.series, series.missing]).toEqual([[], completeness.missing]);
    return completeness.missing[0]?.replace(/127\.0\.0\.1:\d+/, 'HOST');
  };

  test.each<[string, RequestListener, string]>([
    ['garbage', (_, response) => response.end('<html>'), 'answers in a form that is not its own'],
    ['JSON of another kind', (_, response) => response.end('{"data": 3}'), 'answers in a form that is not its own'],
    ['an error of the server', (_, response) => response.writeHead(502).end('bad gateway'), 'answers 502'],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'http://else' }).end(), 'answers 302'],
    [
      'a refusal',
      (_, response) => response.writeHead(422).end('{"status":"error","error":"query timed out"}'),
      'says: query timed out',
    ],
    [
      '50 MB',
      (_, response) => {
        response.on('error', () => {});
        const part = 'x'.repeat(1 << 20);
        for (let mib = 0; mib < 50; mib++) response.write(part);
        response.end();
      },
      'gives an answer that has more than 8388608 bytes',
    ],
  ])('%s', async (_, answer, wanted) => {
    const { figures } = await figuresFrom(answer);
    expect(await problem(figures)).toBe(`Prometheus at http://HOST ${wanted}`);
  });

  test('nothing at all, or only a beginning', async () => {
    const silent = await figuresFrom(() => {}, 50);
    expect(await problem(silent.figures)).toBe('Prometheus at http://HOST does not answer within 0.05 s');
    const begun = await figuresFrom((_, response) => response.write('{'), 50);
    expect(await problem(begun.figures)).toBe('Prometheus at http://HOST does not answer within 0.05 s');
  });

  test('nobody there, or at an address that may not be asked', async () => {
    const { url } = await figuresFrom(() => {});
    for (const server of servers.splice(0)) server.close().closeAllConnections();
    expect(await problem(at(url))).toBe("Prometheus at http://HOST can't be reached (ECONNREFUSED)");
    expect(await problem(at('http://169.254.169.254', 1000, []))).toBe(
      "Prometheus at http://169.254.169.254 can't be asked: 169.254.169.254 has no address that may be called; see metrics.allowedAddresses",
    );
  });
});
