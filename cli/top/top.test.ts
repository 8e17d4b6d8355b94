import { describe, expect, test } from '@jest/globals';
import type { Golden, GraphEdge, GraphNode, GraphView } from '../../api/view/graph-view.ts';
import { readFigures } from './figures.ts';
import { formatFigures, formatHead } from './format.ts';
import { formatRefusals, nothingRefused } from './refusals.ts';
import { topCommand } from './top-command.ts';

const golden = (requests: number, failures: number, p99Ms?: number): Golden => ({
  requests,
  failures,
  perSecond: requests / 60,
  ...(p99Ms === undefined ? {} : { p50Ms: p99Ms / 10, p99Ms }),
});
const node = (name: string, more: Partial<GraphNode> = {}): GraphNode => ({
  ...{ id: `shop/${name}`, kind: 'workload', namespace: 'shop', name, pods: 2, connected: 2 },
  services: [`${name}.shop.svc.cluster.local`],
  ...more,
});
const call = (source: string, destination: string, of: Golden, more: Partial<GraphEdge> = {}): GraphEdge => ({
  ...{ id: `${source}>${destination}`, source: `shop/${source}`, destination: `shop/${destination}` },
  ...{ service: `${destination}.shop.svc.cluster.local`, protocol: 'http', reporter: 'source', golden: of },
  ...{ mtls: 'all', revisions: [], answers: [] },
  ...more,
});
const POOLS = ['CONNECTIONS', 'ACTIVE', 'PENDING', 'OVERFLOW'];
const FULL = { active: 3, pending: 1, overflow: 7, poolShare: 0.5 };
const GRAPH: GraphView = {
  ...{ at: Date.parse('2026-11-29T14:00:00Z'), seconds: 60, source: 'operator', complete: false },
  missing: ['no report of shop/ui-1 since 40 s'],
  nodes: [
    node('ui'),
    node('ordering', {
      served: golden(600, 6, 120),
      ownMs: 45,
      saturation: { cpuCores: 0.25, cpuShare: 0.95, memoryBytes: 2 ** 27, connections: 4, ...FULL },
    }),
    node('inventory', { served: golden(60, 0, 20), connected: 1 }),
  ],
  edges: [
    call('ui', 'ordering', golden(500, 6, 120), {
      answers: [
        { code: '200', flags: '-', failed: false, requests: 489 },
        { code: '403', flags: 'UAEX', failed: false, requests: 5 },
        { code: '503', flags: 'UF', failed: true, requests: 4 },
        { code: '500', flags: '-', failed: true, requests: 2 },
      ],
    }),
    call('cart', 'ordering', golden(100, 0, 80)),
    call('ordering', 'inventory', golden(60, 0, 20), { mtls: 'none' }),
  ],
};

describe('workloads', () => {
  test('have what they served and how full they are, and of what is not known nothing', () => {
    const [ordering, inventory, ui] = readFigures(GRAPH, 'workloads', 'rate', 'shop');
    expect(ordering).toMatchObject({ name: 'ordering', perSecond: 10, success: 0.99, p99Ms: 120, failure: '503 UF' });
    expect(inventory).toMatchObject({ name: 'inventory', success: 1, pods: '1/2' });
    expect(ui).toEqual({ name: 'ui', pods: '2/2' });
  });

  test('are lines of a table in which what is unknown is no zero', () => {
    const text = formatFigures(readFigures(GRAPH, 'workloads', 'rate', 'shop'), 'workloads', true);
    expect(text.split('\n').map((line) => line.split(/ {2,}/).slice(0, 13))).toEqual([
      ['WORKLOAD', 'PODS', 'RATE', 'SUCCESS', 'P50', 'P99', 'OWN', 'CPU', 'MEMORY', ...POOLS],
      ['ordering', '2/2', '10/s', '99.00%', '12ms', '120ms', '45ms', '250m (95%)', '128Mi', '4', '3', '1 (50%)', '7'],
      ['inventory', '1/2', '1.0/s', '100%', '2.0ms', '20ms', '-', '-', '-', '-', '-', '-', '-'],
      ['ui', '2/2', '-', '-', '-', '-', '-', '-', '-', '-', '-', '-', '-'],
    ]);
  });
});

test('inbound pools have columns where one has a limit', () => {
  const level = { now: 3, limit: 4 };
  const ownPool = { connections: level, active: level, pending: { now: 0 }, share: 0.75, overflow: 9 };
  const nodes = [node('ui'), node('ordering', { saturation: { ownPool } })];
  const lines = readFigures({ ...GRAPH, nodes, edges: [] }, 'workloads', 'rate', 'shop');
  const rows = formatFigures(lines, 'workloads', false)
    .split('\n')
    .map((line) => line.trimEnd().split(/ {2,}/).slice(-2));
  expect(rows).toEqual([
    ['INBOUND POOL', 'REFUSED'],
    ['3 (75%)', '9'],
    ['-', '-'],
  ]);
});

test('services are what was called, of all callers together, at their worst', () => {
  const [ordering] = readFigures(GRAPH, 'services', 'rate');
  expect(ordering).toMatchObject({
    name: 'ordering.shop.svc.cluster.local',
    ...{ perSecond: 10, success: 0.99, p99Ms: 120, ownMs: 45, connections: 4 },
  });
});

test('edges tell who calls whom, and whether it is encrypted', () => {
  const lines = readFigures(GRAPH, 'edges', 'p99', 'shop');
  expect(lines.map(({ name, mtls }) => [name, mtls])).toEqual([
    ['ui > ordering', 'all'],
    ['cart > ordering', 'all'],
    ['ordering > inventory', 'none'],
  ]);
});

test('edges tell how full the pools are, with the limits', () => {
  const levels = { connections: { now: 2, limit: 2 }, active: { now: 2 }, pending: { now: 1, limit: 1 } };
  const full = call('ui', 'ordering', golden(500, 6), { pool: { ...levels, share: 1, overflow: 37 } });
  const text = formatFigures(readFigures({ ...GRAPH, edges: [full] }, 'edges', 'rate', 'shop'), 'edges', false);
  const [head, line] = text.split('\n').map((one) => one.split(/ {2,}/).slice(-4));
  expect(head).toEqual(POOLS);
  expect(line).toEqual(['2/2', '2', '1/1', '37']);
});

test.each([
  ['name', ['inventory', 'ordering', 'ui']],
  ['errors', ['ordering', 'inventory', 'ui']],
  ['p99', ['ordering', 'inventory', 'ui']],
  ['own', ['ordering', 'inventory', 'ui']],
  ['cpu', ['ordering', 'inventory', 'ui']],
] as const)('sorted by %s', (sort, names) => {
  expect(readFigures(GRAPH, 'workloads', sort, 'shop').map(({ name }) => name)).toEqual(names);
});

test('success is never rounded up to all', () => {
  const nodes = [node('a', { served: golden(100_000, 1) })];
  expect(formatFigures(readFigures({ ...GRAPH, nodes }, 'workloads', 'rate'), 'workloads', false)).toContain('99.99%');
});

test('success is told as it is: one of five are 20%', () => {
  const nodes = [node('a', { served: golden(5, 4) })];
  expect(formatFigures(readFigures({ ...GRAPH, nodes }, 'workloads', 'rate'), 'workloads', false)).toContain('20.00%');
});

test('what is missing is said', () => {
  expect(formatHead(GRAPH).join('\n')).toMatch(
    /the last 60 s, as the sidecars reported\nincomplete: no report of shop\/ui-1/,
  );
});

test('what was refused is told by policy, and nothing is said to be refused only where all is known', () => {
  const policy = { kind: 'AuthorizationPolicy', namespace: 'shop', name: 'no-admin' };
  const refused = { policy, reason: 'deny', workload: 'shop/ui', requests: 7 };
  const refusals = [
    { ...refused, among: 2 },
    { ...refused, workload: 'other/ui', policy: { ...policy, namespace: 'root' }, among: 1 },
  ];
  expect(
    formatRefusals({ refusals }, 'shop')
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['AT', 'REQUESTS', 'WHY', 'POLICY'],
    ['ui', '7', 'a rule of a DENY policy matched', 'AuthorizationPolicy no-admin, or another of 2'],
    ['other/ui', '7', 'a rule of a DENY policy matched', 'AuthorizationPolicy root/no-admin'],
  ]);
  expect(nothingRefused({ complete: true })).toBe('No policy has refused a request.');
  expect(nothingRefused({ complete: false })).toBe('Of no policy it is known that it refused a request.');
});

test('refusals are not sorted by what they do not have', async () => {
  const asked = topCommand().parseAsync(['refusals', '--sort', 'p99'], { from: 'user' });
  await expect(asked).rejects.toMatchObject({ code: 2, message: expect.stringContaining('--sort') });
});
