import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { buildCandidates } from './endpoint.ts';
import { hostnameOf, type ServiceFacts } from './service.ts';
import type { MeshService, RevisionSplit } from './snapshot.ts';
import { buildSplit, matchServiceCanary } from './split.ts';
import { buildWorkload } from './workload.ts';
import { boundWeights } from './workload-entry-endpoint.ts';

/** Drafts the proxies. */
export function draftWorkloads(context: DraftContext, dirty: DirtySet, { workloads }: Drafts): void {
  for (const uid of dirty.pods) {
    const pod = context.tables.podOf(uid);
    workloads.put(uid, pod && buildWorkload(context, pod));
  }
}

/** Drafts Kubernetes Services and their endpoints. */
export function draftServices(context: DraftContext, dirty: DirtySet, { services, endpoints }: Drafts): void {
  const { settings, tables } = context;
  for (const key of dirty.services) {
    const hostname = hostnameOf(settings, key);
    const facts = tables.services.get(key);
    if (facts === undefined) {
      services.put(hostname, undefined);
      endpoints.put(hostname, undefined);
      continue;
    }
    const external = facts.kind === 'ExternalName';
    const candidates = external ? [] : buildCandidates(context, facts);
    const canary = external ? undefined : matchServiceCanary(tables, facts);
    const result = buildSplit(canary, candidates, facts.side);
    services.put(hostname, buildService(hostname, facts, result.split));
    endpoints.put(hostname, boundWeights(result.endpoints));
  }
}

function buildService(hostname: string, facts: ServiceFacts, split: RevisionSplit | undefined): MeshService {
  const { name, namespace, kind, createdAt, visibility, addresses, externalName, ports, selector } = facts;
  return {
    key: hostname,
    hostname,
    name,
    namespace,
    kind,
    object: { kind: 'Service', namespace, name },
    createdAt,
    visibility,
    resolution: 'endpoints',
    external: false,
    addresses,
    subjectAltNames: [],
    ports,
    selector,
    ...(externalName === undefined ? {} : { externalName }),
    ...(split === undefined ? {} : { split }),
  };
}
