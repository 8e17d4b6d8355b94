import type { GraphEdge, GraphView } from '../../../api/view/graph-view.ts';
import { call, golden, shopGraph, workload } from './shop-answers.ts';

/** A mesh of many services in namespaces of 25, each calling three others, two of them of its own namespace; one call in fifty fails. The same every time. */
export function largeGraph(services: number): GraphView {
  const idOf = (index: number) =>
    `team-${String(Math.floor(index / 25) + 1).padStart(2, '0')}/service-${String(index + 1).padStart(3, '0')}`;
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const edges = new Map<string, GraphEdge>();
  for (let index = 0; index < services; index++) {
    const first = Math.floor(index / 25) * 25;
    const later = (from: number, to: number) => from + Math.floor(random() * Math.max(1, to - from));
    const end = Math.min(services, first + 25);
    const targets = [later(index + 1, end), later(index + 1, end), later(end, services)].filter(
      (target) => target > index && target < services,
    );
    for (const target of targets) {
      const figures = golden(0.5 + random() * 80, random() < 0.02 ? 0.02 + random() * 0.4 : 0, 5 + random() * 300);
      const open = figures.requests % 20;
      const pool = { connections: { now: open + 1 }, active: { now: open }, pending: { now: 0 }, overflow: 0 };
      const edge = call(idOf(index), idOf(target), figures, { pool, mtls: random() < 0.97 ? 'all' : 'none' });
      edges.set(edge.id, edge);
    }
  }
  const nodes = Array.from({ length: services }, (_, index) =>
    workload(idOf(index), {
      served: golden(1 + random() * 90, random() < 0.9 ? 0 : 0.004, 5 + random() * 300),
      saturation: {
        ...{ cpuCores: 0.25, cpuShare: random() * 0.9, memoryBytes: 1e8, memoryShare: random() * 0.8 },
        ...{ connections: 20, active: 2, pending: 0, overflow: 0 },
      },
    }),
  );
  return shopGraph({ nodes, edges: [...edges.values()] });
}
