import type { Golden, GraphNode, GraphView, PoolFill } from '../../api/view/graph-view.ts';

export const SUBJECTS = ['services', 'workloads', 'edges'] as const;
/** What of a graph `heddle top` has a line for. */
export type Subject = (typeof SUBJECTS)[number];

export const SORTS = [
  ...['rate', 'errors', 'p50', 'p99', 'own', 'cpu', 'memory'],
  ...['connections', 'active', 'pending', 'overflow', 'name'],
] as const;
export type Sort = (typeof SORTS)[number];

/** A line of `heddle top`. What is undefined is not known, which is not zero. */
export interface Figures {
  readonly name: string;
  readonly perSecond?: number;
  /** 0..1. */
  readonly success?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Of what serves: the mean time of an answer without that of the calls it made for it. */
  readonly ownMs?: number;
  readonly cpuCores?: number;
  readonly cpuShare?: number;
  readonly memoryBytes?: number;
  readonly memoryShare?: number;
  readonly connections?: number;
  /** Requests under way, those that wait for a connection, and those that were refused in the window since the pool was full. */
  readonly active?: number;
  readonly pending?: number;
  readonly overflow?: number;
  /** The fullest pool's share, 0..1. */
  readonly poolShare?: number;
  /** Of an edge: limits of the fullest pool; absent where there are none. */
  readonly connectionLimit?: number;
  readonly activeLimit?: number;
  readonly pendingLimit?: number;
  /** Of what serves: requests under way in its sidecars' fullest inbound pool, and what these pools refused in the window; absent where none has a limit. */
  readonly inboundActive?: number;
  readonly inboundPoolShare?: number;
  readonly inboundOverflow?: number;
  /** Of an edge. */
  readonly protocol?: string;
  readonly mtls?: string;
  /** Of a workload: those with a stream to the operator, of those with a sidecar. */
  readonly pods?: string;
  /** What makes it fail most often, as `503 UF`. */
  readonly failure?: string;
}

/** The lines of a subject, sorted. @param namespace only what serves there; undefined: all */
export function readFigures(graph: GraphView, subject: Subject, sort: Sort, namespace?: string): Figures[] {
  const lines = { services: services, workloads: workloads, edges: edges }[subject](graph, namespace);
  const by = ORDER[sort];
  return lines.sort((a, b) => (by(b) ?? -1) - (by(a) ?? -1) || a.name.localeCompare(b.name));
}

const ORDER: Readonly<Record<Sort, (line: Figures) => number | undefined>> = {
  rate: ({ perSecond }) => perSecond,
  errors: ({ perSecond = 0, success }) => (success === undefined ? undefined : perSecond * (1 - success)),
  p50: ({ p50Ms }) => p50Ms,
  p99: ({ p99Ms }) => p99Ms,
  own: ({ ownMs }) => ownMs,
  cpu: ({ cpuCores }) => cpuCores,
  memory: ({ memoryBytes }) => memoryBytes,
  connections: ({ connections }) => connections,
  active: ({ active }) => active,
  pending: ({ pending }) => pending,
  overflow: ({ overflow }) => overflow,
  name: () => 0,
};

function workloads({ nodes, edges: calls }: GraphView, namespace: string | undefined): Figures[] {
  return nodes
    .filter((node) => node.kind === 'workload' && isIn(node, namespace))
    .map((node) => ({
      ...nodeFigures(node, namespace),
      ...failureAmong(calls.filter(({ destination }) => destination === node.id).flatMap(({ answers }) => answers)),
    }));
}

/** By the hostname that was called, as its callers saw it; a service without callers in the window has its node's saturation alone. */
function services({ nodes, edges: calls, seconds }: GraphView, namespace: string | undefined): Figures[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const hosts = new Map<string, { node: GraphNode | undefined; calls: typeof calls }>();
  for (const node of nodes) for (const host of node.services) hosts.set(host, { node, calls: [] });
  for (const call of calls) {
    if (call.service === '') continue;
    const known = hosts.get(call.service);
    hosts.set(call.service, {
      node: known?.node ?? byId.get(call.destination),
      calls: [...(known?.calls ?? []), call],
    });
  }
  return [...hosts]
    .filter(([, { node }]) => namespace === undefined || node?.namespace === namespace)
    .map(([name, { node, calls: own }]) => ({
      ...(node === undefined ? {} : { ...saturationOf(node), ...known({ ownMs: node.ownMs }) }),
      name: namespace === undefined ? name : name.replace(/\.svc\..*$/, ''),
      ...sum(
        own.map(({ golden }) => golden),
        seconds,
      ),
      ...failureAmong(own.flatMap(({ answers }) => answers)),
    }));
}

function edges({ nodes, edges: calls }: GraphView, namespace: string | undefined): Figures[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  return calls
    .filter(({ source, destination }) => [source, destination].some((id) => isIn(byId.get(id), namespace)))
    .map(({ source, destination, golden, protocol, mtls, answers, pool }) => ({
      name: `${short(source, namespace)} > ${short(destination, namespace)}`,
      ...ofGolden(golden),
      ...ofPool(pool),
      protocol,
      mtls,
      ...failureAmong(answers),
    }));
}

function nodeFigures(node: GraphNode, namespace: string | undefined): Figures {
  return {
    name: short(node.id, namespace),
    pods: `${node.connected}/${node.pods}`,
    ...(node.served === undefined ? {} : ofGolden(node.served)),
    ...known({ ownMs: node.ownMs }),
    ...saturationOf(node),
  };
}

const isIn = (node: GraphNode | undefined, namespace: string | undefined): boolean =>
  namespace === undefined || node?.namespace === namespace;

/** Names in the namespace that was asked for need not say so. */
export function short(id: string, namespace: string | undefined): string {
  return namespace !== undefined && id.startsWith(`${namespace}/`) ? id.slice(namespace.length + 1) : id;
}

function ofGolden({ requests, perSecond, failures, p50Ms, p99Ms }: Golden): Omit<Figures, 'name'> {
  return {
    perSecond,
    ...(requests > 0 ? { success: 1 - failures / requests } : {}),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p99Ms === undefined ? {} : { p99Ms }),
  };
}

/** Of several callers the rates are summed; of latencies, which can't be, the worst is told. */
function sum(goldens: readonly Golden[], seconds: number): Omit<Figures, 'name'> {
  if (goldens.length === 0) return {};
  const total = (of: (golden: Golden) => number) => goldens.reduce((all, golden) => all + of(golden), 0);
  const worst = (of: (golden: Golden) => number | undefined) => {
    const known = goldens.map(of).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const [requests, failures] = [total((one) => one.requests), total((one) => one.failures)];
  const [p50Ms, p99Ms] = [worst((one) => one.p50Ms), worst((one) => one.p99Ms)];
  const merged: Golden = { requests, failures, perSecond: requests / seconds };
  return ofGolden({ ...merged, ...(p50Ms === undefined ? {} : { p50Ms }), ...(p99Ms === undefined ? {} : { p99Ms }) });
}

function saturationOf({ saturation }: GraphNode): Omit<Figures, 'name'> {
  if (saturation === undefined) return {};
  const { cpuCores, cpuShare, memoryBytes, memoryShare, connections, active, pending, overflow, poolShare } =
    saturation;
  const { ownPool } = saturation;
  return known({
    ...{ cpuCores, cpuShare, memoryBytes, memoryShare, connections, active, pending, overflow, poolShare },
    ...{ inboundActive: ownPool?.active.now, inboundPoolShare: ownPool?.share, inboundOverflow: ownPool?.overflow },
  });
}

function ofPool(pool: PoolFill | undefined): Omit<Figures, 'name'> {
  if (pool === undefined) return {};
  const { connections, active, pending, overflow, share } = pool;
  return known({
    ...{ connections: connections.now, connectionLimit: connections.limit },
    ...{ active: active.now, activeLimit: active.limit, pending: pending.now, pendingLimit: pending.limit },
    ...{ overflow, poolShare: share },
  });
}

function known(figures: Readonly<Record<string, number | undefined>>): Omit<Figures, 'name'> {
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

/** The most frequent answer that says that something failed. */
function failureAmong(answers: GraphView['edges'][number]['answers']): { failure?: string } {
  const counts = new Map<string, number>();
  for (const { code, flags, grpc, failed, requests } of answers) {
    if (!failed) continue;
    const text = [code === '0' ? 'no answer' : code, flags === '-' ? '' : flags, grpc ? `grpc ${grpc}` : ''];
    const name = text.filter((part) => part !== '').join(' ');
    counts.set(name, (counts.get(name) ?? 0) + requests);
  }
  const [worst] = [...counts].sort(([, a], [, b]) => b - a);
  return worst === undefined ? {} : { failure: worst[0] };
}
