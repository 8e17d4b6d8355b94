import type {
  ControlPlaneView,
  PoliciesView,
  ProxiesView,
  RefusalsView,
} from '../../../api/view/control-plane-view.ts';
import type { Completeness, Golden, GraphEdge, GraphNode, GraphView } from '../../../api/view/graph-view.ts';
import type { SeriesView } from '../../../api/view/series-view.ts';

/** What an operator answers of the sample shop: Inventory fails for Ordering, and what is not known is left out. */

const WHOLE: Completeness = { source: 'operator', complete: true, missing: [] };

export function golden(perSecond: number, failedShare: number, p99Ms: number | undefined): Golden {
  const requests = Math.round(perSecond * 60);
  const failures = Math.round(requests * failedShare);
  const percentiles = p99Ms === undefined ? {} : { p50Ms: p99Ms / 4, p90Ms: p99Ms / 2, p99Ms };
  return { requests, perSecond, failures, ...percentiles };
}

export function workload(id: string, more: Partial<GraphNode> = {}): GraphNode {
  const [namespace = '', name = ''] = id.split('/');
  return {
    id,
    kind: 'workload',
    namespace,
    name,
    services: [`${name}.${namespace}.svc.cluster.local`],
    pods: 2,
    connected: 2,
    ...more,
  };
}

export function call(source: string, destination: string, figures: Golden, more: Partial<GraphEdge> = {}): GraphEdge {
  const service = `${destination.split('/').reverse().join('.')}.svc.cluster.local`;
  const failed = { code: '503', flags: 'UF', failed: true, requests: figures.failures };
  const answers = [
    { code: '200', flags: '-', failed: false, requests: figures.requests - figures.failures },
    ...(figures.failures > 0 ? [failed] : []),
  ];
  const base = {
    id: `${source}>${destination}`,
    source,
    destination,
    service,
    protocol: 'http',
    reporter: 'source',
    mtls: 'all',
  } as const;
  return { ...base, golden: figures, revisions: [], answers, ...more };
}

export function shopGraph(more: Partial<GraphView> = {}): GraphView {
  const revisions = [
    { revision: '7c9f8d5b44', role: 'stable', golden: golden(21.6, 0.001, 44) },
    { revision: '5d4b6f7c99', role: 'canary', golden: golden(2.4, 0.03, 96) },
  ] as const;
  return {
    at: Date.now(),
    seconds: 60,
    ...WHOLE,
    nodes: [
      workload('shop/load', { pods: 1, connected: 1, services: [] }),
      workload('shop/ui', {
        ...{ served: golden(24, 0.004, 61), ownMs: 4.2 },
        saturation: {
          cpuCores: 0.12,
          cpuShare: 0.24,
          memoryBytes: 90e6,
          memoryShare: 0.35,
          connections: 12,
          active: 3,
          pending: 0,
          overflow: 0,
        },
      }),
      workload('shop/ordering', {
        ...{ served: golden(24, 0.012, 48), ownMs: 11, canary: 'shop/ordering' },
        pods: 4,
        connected: 4,
        saturation: { cpuCores: 0.4, cpuShare: 0.86, memoryBytes: 210e6, memoryShare: 0.41 },
      }),
      workload('shop/inventory', {
        ...{ served: golden(18.2, 0.118, 240), ownMs: 31 },
        saturation: { memoryBytes: 100e6, connections: 4, active: 2, pending: 1, overflow: 37, poolShare: 1 },
      }),
      workload('payments/ledger', { served: golden(3.1, 0, undefined) }),
      {
        id: 'host:api.bank.example',
        kind: 'host',
        namespace: '',
        name: 'api.bank.example',
        services: [],
        pods: 0,
        connected: 0,
      },
      { id: 'unknown', kind: 'unknown', namespace: '', name: '', services: [], pods: 0, connected: 0 },
    ],
    edges: [
      call('shop/load', 'shop/ui', golden(24, 0.004, 61)),
      call('shop/ui', 'shop/ordering', golden(24, 0.004, 48), { revisions }),
      call('shop/ordering', 'shop/inventory', golden(18.2, 0.118, 240), {
        pool: {
          ...{ connections: { now: 2, limit: 2 }, active: { now: 2 }, pending: { now: 1, limit: 1 } },
          ...{ share: 1, overflow: 37 },
        },
      }),
      call('shop/ordering', 'payments/ledger', golden(3.1, 0, undefined), { protocol: 'grpc', mtls: 'some' }),
      call('payments/ledger', 'host:api.bank.example', golden(1.2, 0, 310), {
        service: 'api.bank.example',
        mtls: 'none',
      }),
      call('unknown', 'shop/ui', golden(0.2, 0, 12), { reporter: 'destination', service: '', mtls: 'none' }),
    ],
    ...more,
  };
}

/** An hour in sixty points: a wave, with a gap in which nothing was known. */
export function seriesOf(graph: GraphView, kind: 'node' | 'edge'): SeriesView {
  const things = kind === 'node' ? graph.nodes.map(({ id, served }) => ({ id, golden: served })) : graph.edges;
  const points = (base: number | undefined, seed: number) =>
    Array.from({ length: 60 }, (_, index) =>
      base === undefined || (index > 20 && index < 26)
        ? null
        : base * (1 + 0.25 * Math.sin(index / 4 + seed) + (index > 48 ? 0.3 : 0)),
    );
  return {
    at: graph.at,
    step: 60,
    source: 'operator',
    complete: graph.complete,
    missing: graph.missing,
    series: things.map(({ id, golden: figures }, seed) => ({
      id,
      perSecond: points(figures?.perSecond, seed),
      failuresPerSecond: points(figures === undefined ? undefined : figures.failures / 60, seed),
      p50Ms: points(figures?.p50Ms, seed),
      p99Ms: points(figures?.p99Ms, seed),
      ...(kind === 'node' ? { cpuCores: points(0.2, seed), memoryBytes: points(9e7, seed) } : {}),
    })),
  };
}

export function policies(): PoliciesView {
  const accepted = (message = 'in force') =>
    ({ type: 'Accepted', status: 'True', reason: 'Accepted', message }) as const;
  return {
    policies: [
      {
        kind: 'AuthorizationPolicy',
        namespace: 'shop',
        name: 'inventory-callers',
        conditions: [accepted('2 rules about 2 pods')],
        inForce: { proxies: 2, of: 2 },
      },
      {
        kind: 'AuthorizationPolicy',
        namespace: 'shop',
        name: 'no-admin',
        conditions: [
          accepted(),
          {
            type: 'Enforced',
            status: 'False',
            reason: 'Pending',
            message: 'shop/ui-6f7d-x2k has not acknowledged it yet',
          },
        ],
        inForce: { proxies: 5, of: 6 },
      },
      {
        kind: 'PeerAuthentication',
        namespace: 'shop',
        name: 'default',
        conditions: [accepted('mTLS is STRICT for all of the namespace')],
        inForce: { proxies: 9, of: 9 },
      },
      {
        kind: 'VirtualService',
        namespace: 'shop',
        name: 'ordering-retries',
        conditions: [
          {
            type: 'Accepted',
            status: 'False',
            reason: 'InvalidRoute',
            message: 'spec.http[0].retries.perTryTimeout: "2" is no duration; give a unit, such as "2s"',
          },
        ],
      },
      { kind: 'RateLimitPolicy', namespace: 'payments', name: 'ledger', conditions: [accepted()] },
    ],
  };
}

export function refusals(): RefusalsView {
  const policy = (kind: string, name: string) => ({ kind, namespace: 'shop', name });
  return {
    at: Date.now(),
    seconds: 600,
    ...WHOLE,
    refusals: [
      {
        policy: policy('AuthorizationPolicy', 'inventory-callers'),
        reason: 'no_allow_matched',
        workload: 'shop/inventory',
        requests: 412,
        among: 2,
      },
      { policy: policy('AuthorizationPolicy', 'no-admin'), reason: 'deny', workload: 'shop/ui', requests: 7, among: 1 },
      {
        policy: policy('RateLimitPolicy', 'per-user'),
        reason: 'local_limit',
        workload: 'shop/ordering',
        requests: 1803,
        among: 1,
      },
    ],
  };
}

export function proxies(): ProxiesView {
  const now = Date.now();
  const types = { listeners: { held: 14, stale: 0 }, clusters: { held: 22, stale: 0 }, secrets: { held: 2, stale: 0 } };
  const proxy = (pod: string, more: object) => ({
    namespace: 'shop',
    pod,
    uid: pod,
    workload: pod.split('-')[0] ?? pod,
    node: 'node-1',
    state: 'synced' as const,
    replica: 'heddle-operator-0',
    connectedSince: now - 3_600_000,
    lastReport: now - 4000,
    types,
    rejections: [],
    identity: `spiffe://cluster.local/ns/shop/sa/${pod.split('-')[0]}`,
    certificateNotAfter: new Date(now + 20 * 3_600_000).toISOString(),
    onDemand: false,
    ...more,
  });
  return {
    at: now,
    complete: false,
    proxies: [
      proxy('ui-6f7d8b9c4d-x2klm', {}),
      proxy('ordering-7c9f8d5b44-a1b2c', { state: 'stale', types: { ...types, clusters: { held: 22, stale: 3 } } }),
      proxy('inventory-5b6c7d8e9f-q9w8e', {
        state: 'rejected',
        rejections: [
          {
            type: 'listeners',
            name: 'virtualInbound',
            message: 'Error adding/updating listener(s) virtualInbound: filter chain has an empty cluster',
          },
        ],
      }),
      proxy('load-9d8c7b6a5f-zz123', {
        state: 'disconnected',
        replica: undefined,
        lastReport: undefined,
        certificateNotAfter: new Date(now - 60_000).toISOString(),
      }),
      proxy('ledger-8f7e6d5c4b-p0o9i', {
        namespace: 'payments',
        state: 'unknown',
        types: {},
        replica: undefined,
        certificateNotAfter: undefined,
        onDemand: true,
      }),
    ],
  };
}

export function controlPlane(): ControlPlaneView {
  const day = 86_400_000;
  const dated = (from: number, to: number) => ({
    notBefore: new Date(Date.now() + from * day).toISOString(),
    notAfter: new Date(Date.now() + to * day).toISOString(),
  });
  return {
    version: '0.1.0',
    trustDomain: 'cluster.local',
    replicas: [
      { name: 'heddle-operator-0', leader: true, heard: true, streams: 9, problems: [] },
      { name: 'heddle-operator-1', leader: false, heard: false },
    ],
    proxies: { total: 5, synced: 1, syncing: 0, stale: 1, rejected: 1, disconnected: 1, unknown: 1 },
    certificates: [
      { name: 'ROOT', subject: 'CN=Heddle root', serial: '0a1b2c3d4e5f', ...dated(-400, 3250) },
      { name: 'INTERMEDIATE', subject: 'CN=Heddle CA', serial: '1f2e3d4c5b6a', ...dated(-27, 3) },
      { name: 'WEBHOOK', subject: 'CN=heddle-webhook', serial: '99aa88bb77cc', ...dated(-60, 30) },
    ],
  };
}
