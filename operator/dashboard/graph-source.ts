import type { RefusalsView, RefusalView } from '../../api/view/control-plane-view.ts';
import type { Completeness, GraphNode, GraphView, Saturation } from '../../api/view/graph-view.ts';
import type { TrafficHistory } from '../telemetry/history/traffic-history.ts';
import { EdgeTotals, GoldenTotals, type RoleOf } from './edge-totals.ts';
import type { WindowSelection } from './view-source.ts';

/** What is known of a node besides what was counted. */
export type NodeFacts = Omit<GraphNode, 'served' | 'saturation'>;

/** What a graph is made of. */
export interface GraphPorts {
  readonly history: TrafficHistory;
  /** Every node of the mesh. */
  nodes(): Iterable<NodeFacts>;
  readonly roleOf: RoleOf;
  /** How full a node is; undefined where that is not known. */
  saturation(node: string): Saturation | undefined;
  /** What is not known of a window that begins at a moment (ms since the epoch): a sentence each. */
  missing(since: number, now: number): readonly string[];
  /** Since when anything is counted, in ms since the epoch. */
  readonly startedAt: number;
  now(): number;
}

/** Who called whom, from what this operator counted. */
export class GraphSource {
  readonly #ports: GraphPorts;

  constructor(ports: GraphPorts) {
    this.#ports = ports;
  }

  /** The graph of the last so many seconds. */
  graph({ seconds, namespace }: WindowSelection): GraphView {
    const { history } = this.#ports;
    const now = this.#ports.now();
    const window = history.slices.window(now, seconds);
    const known = Math.max(window.since, this.#ports.startedAt);
    const length = Math.max(1, (window.until - known) / 1000);
    const edges = [...this.#edges(window).values()];
    const facts = new Map([...this.#ports.nodes()].map((node) => [node.id, node]));
    const chosen = edges.filter(({ edge }) => {
      if (namespace === undefined) return true;
      return [edge.source, edge.destination].some((id) => (facts.get(id)?.namespace ?? namespaceOf(id)) === namespace);
    });
    return {
      at: window.until,
      seconds: Math.round((window.until - window.since) / 1000),
      ...this.completeness(window.since, now),
      nodes: this.#nodes(facts, edges, chosen, namespace, length),
      edges: chosen.map((edge) => edge.view(length)),
    };
  }

  /** What policies refused in the last so many seconds, the most frequent first. */
  refusals({ seconds, namespace }: WindowSelection): RefusalsView {
    const { history } = this.#ports;
    const window = history.slices.window(this.#ports.now(), seconds);
    const refusals: RefusalView[] = [];
    for (const { counter, by } of history.sum(window)) {
      if (counter.kind !== 'refused') continue;
      const { policy, reason, among } = counter.refusal;
      const isChosen = [policy.namespace, namespaceOf(counter.node)].some((one) => one === (namespace ?? one));
      if (isChosen) refusals.push({ policy, reason, workload: counter.node, requests: by, among });
    }
    refusals.sort((a, b) => b.requests - a.requests);
    return { at: window.until, seconds: Math.round((window.until - window.since) / 1000), refusals };
  }

  /** What is not known of a window. @param since its beginning, in ms since the epoch */
  completeness(since: number, now: number): Completeness {
    const missing = [...this.#ports.missing(since, now)];
    const { leftOut } = this.#ports.history.table;
    if (leftOut.size > 0) {
      const most = this.#ports.history.table.size;
      missing.push(`${leftOut.size} or more edges are left out: the operator keeps ${most}`);
    }
    return { source: 'operator', complete: missing.length === 0, missing };
  }

  #edges(window: { readonly since: number; readonly until: number }): Map<object, EdgeTotals> {
    const edges = new Map<object, EdgeTotals>();
    for (const growth of this.#ports.history.sum(window)) {
      if (growth.counter.kind === 'reports' || growth.counter.kind === 'refused') continue;
      const { edge } = growth.counter;
      let totals = edges.get(edge);
      if (totals === undefined) {
        totals = new EdgeTotals(edge);
        edges.set(edge, totals);
      }
      totals.add(growth, this.#ports.roleOf);
    }
    return edges;
  }

  #nodes(
    facts: ReadonlyMap<string, NodeFacts>,
    edges: readonly EdgeTotals[],
    chosen: readonly EdgeTotals[],
    namespace: string | undefined,
    length: number,
  ): GraphNode[] {
    const shown = new Map<string, NodeFacts>();
    for (const node of facts.values())
      if (namespace === undefined || node.namespace === namespace) shown.set(node.id, node);
    for (const { edge } of chosen) {
      for (const id of [edge.source, edge.destination]) shown.set(id, facts.get(id) ?? strangerFacts(id));
    }
    const served = new Map<string, GoldenTotals>();
    for (const { edge, totals } of edges) {
      if (!shown.has(edge.destination)) continue;
      const sum = served.get(edge.destination) ?? new GoldenTotals();
      sum.merge(totals);
      served.set(edge.destination, sum);
    }
    return [...shown.values()].map((node) => {
      const golden = served.get(node.id)?.golden(length);
      const saturation = this.#ports.saturation(node.id);
      return { ...node, ...(golden && { served: golden }), ...(saturation && { saturation }) };
    });
  }
}

/** A node that has no pods with sidecars (any more). */
export function strangerFacts(id: string): NodeFacts {
  const nothing = { namespace: '', services: [], pods: 0, connected: 0 };
  if (id.startsWith('host:')) return { id, kind: 'host', name: id.slice('host:'.length), ...nothing };
  const namespace = namespaceOf(id);
  if (namespace === '') return { id, kind: 'unknown', name: id, ...nothing };
  return { ...nothing, id, kind: 'workload', namespace, name: id.slice(namespace.length + 1) };
}

function namespaceOf(id: string): string {
  return id.startsWith('host:') || !id.includes('/') ? '' : id.slice(0, id.indexOf('/'));
}
