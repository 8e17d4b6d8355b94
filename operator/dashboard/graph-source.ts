import type { GraphEdge, GraphNode, GraphView, Saturation } from '../../api/view/graph-view.ts';
import type { Edge } from '../telemetry/history/edge-table.ts';
import type { Growth } from '../telemetry/history/traffic-history.ts';
import { EdgeTotals, GoldenTotals, type RoleOf } from './edge-totals.ts';
import type { Figures } from './figures.ts';
import { eachInTurns } from './turns.ts';
import type { WindowSelection } from './view-source.ts';

/** What is known of a node besides what was counted. */
export type NodeFacts = Omit<GraphNode, 'served' | 'saturation'>;

/** What a graph is made of. */
export interface GraphPorts {
  readonly figures: Figures;
  /** Every node of the mesh. */
  nodes(): Iterable<NodeFacts>;
  readonly roleOf: RoleOf;
  /** How full a node is; undefined where that is not known. */
  saturation(node: string): Saturation | undefined;
}

/** Who called whom, and how that went. */
export class GraphSource {
  readonly #ports: GraphPorts;

  constructor(ports: GraphPorts) {
    this.#ports = ports;
  }

  /** The graph of the last so many seconds. */
  async graph({ seconds, namespace }: WindowSelection): Promise<GraphView> {
    const { since, until, counted, growths, completeness } = await this.#ports.figures.window(seconds);
    const edges = await this.#edges(growths);
    const facts = new Map([...this.#ports.nodes()].map((node) => [node.id, node]));
    const chosen = edges.filter(({ edge }) => {
      if (namespace === undefined) return true;
      return [edge.source, edge.destination].some((id) => (facts.get(id)?.namespace ?? namespaceOf(id)) === namespace);
    });
    const views: GraphEdge[] = [];
    await eachInTurns(chosen, (edge) => views.push(edge.view(counted)));
    return {
      at: until,
      seconds: Math.round((until - since) / 1000),
      ...completeness,
      nodes: await this.#nodes(facts, edges, chosen, namespace, counted),
      edges: views,
    };
  }

  async #edges(growths: Iterable<Growth>): Promise<EdgeTotals[]> {
    const edges = new Map<Edge, EdgeTotals>();
    await eachInTurns(growths, (growth) => {
      if (growth.counter.kind === 'reports' || growth.counter.kind === 'refused') return;
      const { edge } = growth.counter;
      let totals = edges.get(edge);
      if (totals === undefined) {
        totals = new EdgeTotals(edge);
        edges.set(edge, totals);
      }
      totals.add(growth, this.#ports.roleOf);
    });
    return [...edges.values()];
  }

  async #nodes(
    facts: ReadonlyMap<string, NodeFacts>,
    edges: readonly EdgeTotals[],
    chosen: readonly EdgeTotals[],
    namespace: string | undefined,
    length: number,
  ): Promise<GraphNode[]> {
    const shown = new Map<string, NodeFacts>();
    for (const node of facts.values())
      if (namespace === undefined || node.namespace === namespace) shown.set(node.id, node);
    for (const { edge } of chosen) {
      for (const id of [edge.source, edge.destination]) shown.set(id, facts.get(id) ?? strangerFacts(id));
    }
    const served = new Map<string, GoldenTotals>();
    await eachInTurns(edges, ({ edge, totals }) => {
      if (!shown.has(edge.destination)) return;
      const sum = served.get(edge.destination) ?? new GoldenTotals();
      sum.merge(totals);
      served.set(edge.destination, sum);
    });
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

/** Of a node's id; '' where it has none. */
export function namespaceOf(id: string): string {
  return id.startsWith('host:') || !id.includes('/') ? '' : id.slice(0, id.indexOf('/'));
}
