import type { GraphEdge, GraphNode, GraphView, Saturation } from '../../api/view/graph-view.ts';
import { type Edge, edgeId } from '../telemetry/history/edge-table.ts';
import type { Growth } from '../telemetry/history/traffic-history.ts';
import { EdgeTotals, GoldenTotals, type RoleOf } from './edge-totals.ts';
import type { Figures } from './figures.ts';
import { OwnTimes } from './own-times.ts';
import { type OwnPoolReading, type PoolReading, PoolTotals } from './pool-totals.ts';
import { eachInTurns } from './turns.ts';
import type { WindowSelection } from './view-source.ts';

/** What is known of a node besides what was counted. */
export type NodeFacts = Omit<GraphNode, 'served' | 'ownMs' | 'saturation'>;

/** What a graph is made of. */
export interface GraphPorts {
  readonly figures: Figures;
  /** Every node of the mesh. */
  nodes(): Iterable<NodeFacts>;
  readonly roleOf: RoleOf;
  /** What of a node its pods tell: what they use and have open; undefined where nothing is known. */
  saturation(node: string): Saturation | undefined;
  /** What each pod that reports has open towards others, and towards its application. */
  pools(): Iterable<PoolReading | OwnPoolReading>;
}

/** Who called whom, and how that went. */
export class GraphSource {
  readonly #ports: GraphPorts;

  constructor(ports: GraphPorts) {
    this.#ports = ports;
  }

  /** The graph of the last so many seconds. */
  async graph({ seconds, namespace }: WindowSelection): Promise<GraphView> {
    const { since, until, counted, growths, completeness, knowsPools } = await this.#ports.figures.window(seconds);
    const ownOverflows = new Map<string, number>();
    const ownTimes = new OwnTimes();
    const edges = await this.#edges(growths, ownOverflows, ownTimes);
    const pools = new PoolTotals();
    await eachInTurns(this.#ports.pools(), (reading) => pools.add(reading));
    const known = (count: number): number | undefined => (count > 0 || knowsPools ? count : undefined);
    const facts = new Map([...this.#ports.nodes()].map((node) => [node.id, node]));
    const chosen = edges.filter(({ edge }) => {
      if (namespace === undefined) return true;
      return [edge.source, edge.destination].some((id) => (facts.get(id)?.namespace ?? namespaceOf(id)) === namespace);
    });
    const views: GraphEdge[] = [];
    await eachInTurns(chosen, (edge) => views.push(edge.view(counted, pools.ofEdge(edge.edge, known(edge.overflow)))));
    const nodes = await this.#nodes(facts, edges, chosen, namespace, counted);
    return {
      at: until,
      seconds: Math.round((until - since) / 1000),
      ...completeness,
      nodes: nodes.map(({ node, overflow }) => {
        const { pending, share } = pools.ofNode(node.id);
        const ownPool = pools.ofOwn(node.id, known(ownOverflows.get(node.id) ?? 0));
        const ownMs = ownTimes.of(node.id);
        const timed = { ...node, ...(ownMs !== undefined && { ownMs }) };
        return withPools(timed, { pending: known(pending), overflow: known(overflow), poolShare: share, ownPool });
      }),
      edges: views,
    };
  }

  /** @param ownOverflows takes what pools towards applications refused, by node @param ownTimes what workloads take themselves */
  async #edges(
    growths: Iterable<Growth>,
    ownOverflows: Map<string, number>,
    ownTimes: OwnTimes,
  ): Promise<EdgeTotals[]> {
    const edges = new Map<string, EdgeTotals>();
    const known = new Map<Edge, EdgeTotals>();
    await eachInTurns(growths, (growth) => {
      const { counter, by } = growth;
      ownTimes.add(growth);
      if (counter.kind === 'own overflow') ownOverflows.set(counter.node, (ownOverflows.get(counter.node) ?? 0) + by);
      if (!('edge' in counter)) return;
      const { edge } = counter;
      let totals = known.get(edge);
      if (totals === undefined) {
        // Of two sources each has objects of its own.
        const id = `${edge.reporter} ${edgeId(edge)}`;
        totals = edges.get(id) ?? new EdgeTotals(edge);
        edges.set(id, totals);
        known.set(edge, totals);
      }
      totals.add(growth, this.#ports.roleOf);
    });
    // A port that says nothing of its protocol has both edges; what pools refused stands at that which was called.
    return [...edges.values()].filter(({ isCalled }) => isCalled);
  }

  async #nodes(
    facts: ReadonlyMap<string, NodeFacts>,
    edges: readonly EdgeTotals[],
    chosen: readonly EdgeTotals[],
    namespace: string | undefined,
    length: number,
  ): Promise<{ readonly node: GraphNode; readonly overflow: number }[]> {
    const shown = new Map<string, NodeFacts>();
    for (const node of facts.values())
      if (namespace === undefined || node.namespace === namespace) shown.set(node.id, node);
    for (const { edge } of chosen) {
      for (const id of [edge.source, edge.destination]) shown.set(id, facts.get(id) ?? strangerFacts(id));
    }
    const served = new Map<string, GoldenTotals>();
    const overflows = new Map<string, number>();
    await eachInTurns(edges, ({ edge, totals, overflow }) => {
      if (!shown.has(edge.destination)) return;
      overflows.set(edge.destination, (overflows.get(edge.destination) ?? 0) + overflow);
      const sum = served.get(edge.destination) ?? new GoldenTotals();
      sum.merge(totals);
      served.set(edge.destination, sum);
    });
    const nodes: { readonly node: GraphNode; readonly overflow: number }[] = [];
    await eachInTurns(shown.values(), (node) => {
      const golden = served.get(node.id)?.golden(length);
      const saturation = this.#ports.saturation(node.id);
      const whole = {
        ...node,
        ...(golden && { served: golden }),
        ...(saturation && { saturation }),
      };
      nodes.push({ node: whole, overflow: overflows.get(node.id) ?? 0 });
    });
    return nodes;
  }
}

/** A node with what is known of the pools towards it. */
function withPools(
  node: GraphNode,
  pools: { readonly [Level in 'pending' | 'overflow' | 'poolShare' | 'ownPool']: Saturation[Level] | undefined },
): GraphNode {
  const told = Object.entries(pools).filter(([, value]) => value !== undefined);
  if (node.kind === 'unknown' || told.length === 0) return node;
  return { ...node, saturation: { ...node.saturation, ...Object.fromEntries(told) } };
}

/** A node that has no pods with sidecars (any more). */
export function strangerFacts(id: string): NodeFacts {
  const nothing = { namespace: '', services: [], pods: 0, connected: 0 };
  if (id.startsWith('host:')) return { id, kind: 'host', name: id.slice('host:'.length), ...nothing };
  const namespace = namespaceOf(id);
  if (namespace === '') return { id, kind: 'unknown', name: id, ...nothing };
  return { ...nothing, id, kind: 'workload', namespace, name: id.slice(namespace.length + 1) };
}

/** Of a node's id; '' where it has none. */
export function namespaceOf(id: string): string {
  return id.startsWith('host:') || !id.includes('/') ? '' : id.slice(0, id.indexOf('/'));
}
