import type { Golden, GraphEdge, GraphNode, GraphView } from '../../../../api/view/graph-view.ts';
import { type Severity, severity, sumOf, worstOf } from '../health.ts';

/** What is drawn: services in boxes of their namespaces, or a whole namespace as one card, and calls between these. */
export interface Picture {
  readonly groups: readonly Group[];
  readonly items: readonly Item[];
  readonly calls: readonly Call[];
}

export interface Group {
  readonly id: string;
  readonly title: string;
  readonly open: boolean;
}

export type Item = ServiceItem | NamespaceItem;

interface ServiceItem {
  readonly kind: 'service';
  readonly id: string;
  readonly group: string;
  readonly node: GraphNode;
}

/** All services of a namespace that is not open. */
interface NamespaceItem {
  readonly kind: 'namespace';
  readonly id: string;
  readonly group: string;
  readonly title: string;
  readonly nodes: readonly GraphNode[];
  readonly served?: Golden;
  /** Calls within it that fail. */
  readonly failing: number;
}

/** All calls from one item to another. */
export interface Call {
  readonly id: string;
  readonly source: string;
  readonly destination: string;
  readonly edges: readonly GraphEdge[];
  /** The sum of all. */
  readonly golden: Golden;
  /** That of the worst of them: among many calls that succeed few that fail would not stand out. */
  readonly severity: Severity;
  readonly mtls: GraphEdge['mtls'];
}

export interface PictureChoice {
  /** Namespaces whose services are shown one by one; undefined: all of a small mesh, none of a large one. */
  readonly open?: ReadonlySet<string> | 'all';
  /** Only this namespace, and whom it calls and is called by. */
  readonly namespace?: string;
  /** Only this service, and whom it calls and is called by. */
  readonly focus?: string;
}

/** Hosts outside, and callers without an identity, are no namespace's. */
export const OUTSIDE = '~outside';
export const CALLERS = '~callers';
const TITLES: Readonly<Record<string, string>> = { [OUTSIDE]: 'Outside the mesh', [CALLERS]: 'Without a sidecar' };
/** More services than these are not told apart at once. */
const SMALL_MESH = 60;

/** Which namespace's box a node stands in. */
export function groupOf(node: GraphNode): string {
  if (node.kind === 'unknown') return CALLERS;
  return node.kind === 'workload' && node.namespace !== '' ? node.namespace : OUTSIDE;
}

/** Makes the picture of a graph. Same graph, same picture: what is drawn does not jump. */
export function pictureOf(view: GraphView, choice: PictureChoice): Picture {
  const { nodes, edges } = chosen(view, choice);
  const groupIds = [...new Set(nodes.map(groupOf))].sort();
  const small = nodes.length <= SMALL_MESH || choice.focus !== undefined;
  const isOpen = (id: string): boolean => {
    if (choice.focus !== undefined || choice.open === 'all') return true;
    if (choice.open !== undefined) return choice.open.has(id);
    return choice.namespace === undefined ? small : id === choice.namespace;
  };
  const groups = groupIds.map((id) => ({ id, title: TITLES[id] ?? id, open: isOpen(id) }));
  const itemOf = new Map(
    nodes.map((node) => [node.id, isOpen(groupOf(node)) ? node.id : `namespace:${groupOf(node)}`]),
  );
  const items = groups.flatMap((group): Item[] => {
    const own = nodes.filter((node) => groupOf(node) === group.id).sort((a, b) => a.id.localeCompare(b.id));
    if (group.open) return own.map((node) => ({ kind: 'service', id: node.id, group: group.id, node }));
    return [namespaceItem(group, own, edges)];
  });
  return { groups, items, calls: callsOf(edges, itemOf) };
}

function chosen(view: GraphView, { namespace, focus }: PictureChoice): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const known = new Set(view.nodes.map(({ id }) => id));
  const whole = view.edges.filter(({ source, destination }) => known.has(source) && known.has(destination));
  if (namespace === undefined && focus === undefined) return { nodes: [...view.nodes], edges: whole };
  const own = new Set(
    view.nodes
      .filter((node) => (focus === undefined ? node.namespace === namespace : node.id === focus))
      .map(({ id }) => id),
  );
  const edges = whole.filter(({ source, destination }) => own.has(source) || own.has(destination));
  const seen = new Set([...own, ...edges.flatMap(({ source, destination }) => [source, destination])]);
  return { nodes: view.nodes.filter(({ id }) => seen.has(id)), edges };
}

function namespaceItem(group: Group, nodes: GraphNode[], edges: readonly GraphEdge[]): NamespaceItem {
  const own = new Set(nodes.map(({ id }) => id));
  const served = nodes.map((node) => node.served).filter((golden) => golden !== undefined);
  const inner = edges.filter(({ source, destination }) => own.has(source) && own.has(destination));
  return {
    kind: 'namespace',
    id: `namespace:${group.id}`,
    group: group.id,
    title: group.title,
    nodes,
    ...(served.length === 0 ? {} : { served: sumOf(served) }),
    failing: inner.filter(({ golden }) => severity(golden) === 'bad').length,
  };
}

function callsOf(edges: readonly GraphEdge[], itemOf: ReadonlyMap<string, string>): Call[] {
  const between = new Map<string, { source: string; destination: string; edges: GraphEdge[] }>();
  for (const edge of edges) {
    const source = itemOf.get(edge.source) ?? edge.source;
    const destination = itemOf.get(edge.destination) ?? edge.destination;
    // Calls within a namespace that is one card are counted on it.
    if (source === destination && source.startsWith('namespace:')) continue;
    const key = `${source}>${destination}`;
    const found = between.get(key);
    if (found === undefined) between.set(key, { source, destination, edges: [edge] });
    else found.edges.push(edge);
  }
  return [...between].map(([id, { source, destination, edges: own }]) => {
    const kinds = new Set(own.map(({ mtls }) => mtls));
    const [only] = kinds;
    const mtls = kinds.size === 1 && only !== undefined ? only : kinds.has('unknown') ? 'unknown' : 'some';
    const goldens = own.map(({ golden }) => golden);
    return { id, source, destination, edges: own, golden: sumOf(goldens), severity: worstOf(goldens), mtls };
  });
}
