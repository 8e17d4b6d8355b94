import type { GraphPorts, NodeFacts } from '../dashboard/graph-source.ts';
import type { MeshService } from '../mesh/snapshot.ts';
import type { DashboardJoints } from './dashboard.ts';
import { MissingReports } from './missing-reports.ts';

type Joints = Pick<DashboardJoints, 'snapshot' | 'records' | 'replicas' | 'acks' | 'stores'>;

/** What a graph is made of, from the mesh and from what its proxies counted. */
export function graphPorts(joints: Joints): GraphPorts {
  const { snapshot, replicas, stores } = joints;
  const { history, ledger } = joints.records;
  const reports = new MissingReports({
    snapshot,
    lastReport: (uid) => ledger.lastReport(uid),
    servingSince: (uid) => stores.servingSince(uid),
    unheard: () => replicas.unheard(),
    startedAt: ledger.startedAt,
    keptSince: () => history.slices.keptSince,
  });
  return {
    history,
    nodes: () => nodeFacts(joints),
    roleOf: (service, revision) => {
      const split = snapshot().services.get(service)?.split;
      if (split === undefined) return undefined;
      const called = revision ?? split.stable;
      return { revision: called, role: called === split.next ? 'canary' : 'stable' };
    },
    saturation: () => undefined,
    missing: (since, now) => reports.sentences(since, now),
    startedAt: ledger.startedAt,
    now: Date.now,
  };
}

function* nodeFacts({ snapshot, records, acks, stores }: Joints): Generator<NodeFacts> {
  const services = new Map<string, MeshService[]>();
  for (const service of snapshot().services.values()) {
    const known = services.get(service.namespace);
    if (known === undefined) services.set(service.namespace, [service]);
    else known.push(service);
  }
  const canaries = new Map<string, string>();
  for (const { metadata, spec } of stores.canaries.list()) {
    canaries.set(`${metadata?.namespace}/${spec?.targetRef?.name}`, `${metadata?.namespace}/${metadata?.name}`);
  }
  for (const node of records.nodes.all()) {
    const { id, namespace, name, pods } = node;
    let connected = 0;
    let canary: string | undefined;
    for (const [uid, { owner }] of pods) {
      connected += acks.proxy(uid)?.connected === true ? 1 : 0;
      canary ??= canaries.get(`${namespace}/${owner}`);
    }
    yield {
      id,
      kind: 'workload',
      namespace,
      name,
      services: records.nodes.servicesOf(node, services.get(namespace) ?? []),
      pods: pods.size,
      connected,
      ...(canary === undefined ? {} : { canary }),
    };
  }
}
