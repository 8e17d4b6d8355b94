import { isCaptured } from './capture.ts';
import { matchEligibility } from './eligibility.ts';
import type { SliceEndpoint, SliceFacts } from './endpoint-slice.ts';
import { localityOf } from './locality.ts';
import { type MtlsDecision, plainPorts, portMode } from './mtls.ts';
import type { MtlsScopes } from './mtls-scopes.ts';
import { NO_LOCALITY } from './node.ts';
import { objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import { familyOf, type ServiceFacts } from './service.ts';
import type { Endpoint, MeshSettings } from './snapshot.ts';
import { spiffeIdOf } from './spiffe-id.ts';
import type { Candidate } from './split.ts';
import type { MeshTables } from './tables.ts';
import { buildEntryEndpoint, hasIpAddress } from './workload-entry-endpoint.ts';

/** What endpoints are built from. */
export interface EndpointContext {
  readonly settings: MeshSettings;
  readonly tables: MeshTables;
  /** How PeerAuthentication comes out for a pod, by UID; only for pods that understand mesh mTLS. */
  readonly mtls: ReadonlyMap<string, MtlsDecision>;
  /** The same for workloads that are no pods. */
  readonly mtlsScopes: MtlsScopes;
}

/**
 * The eligible endpoints of a Service, in a stable order, each once: Kubernetes lets an endpoint be in two slices for a
 * while, and a dual-stack pod is in the slices of both families. WorkloadEntries that the Service selects are among them.
 */
export function buildCandidates(context: EndpointContext, service: ServiceFacts): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of context.tables.slices.select('service', service.key)) {
    for (const entry of slice.endpoints) {
      const candidate = buildCandidate(context, service, slice, entry);
      if (candidate === undefined) continue;
      const identity = `${candidate.endpoint.workload ?? entry.address} ${JSON.stringify(slice.ports)}`;
      const other = found.get(identity);
      if (other === undefined || isPreferred(service, candidate.endpoint, other.endpoint))
        found.set(identity, candidate);
    }
  }
  for (const entry of context.tables.workloadEntriesSelectedBy(service.namespace, service.selector)) {
    const { workload } = entry;
    // EDS knows no DNS names.
    if (workload === undefined || !hasIpAddress(workload)) continue;
    const endpoint = buildEntryEndpoint(context, service.namespace, workload, service.ports, true);
    found.set(`WorkloadEntry ${entry.key}`, { endpoint: { ...endpoint, entry: objectKey(entry.ref) } });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
}

function buildCandidate(
  context: EndpointContext,
  service: ServiceFacts,
  slice: SliceFacts,
  entry: SliceEndpoint,
): Candidate | undefined {
  const { tables, settings } = context;
  const pod = entry.pod === undefined ? undefined : tables.podOf(entry.pod);
  // The slice is ahead of the pod or behind it: without the pod its identity is unknown, and with a pod of STRICT mTLS
  // a plaintext guess would fail. Its own event brings it in.
  if (entry.address === '' || (entry.pod !== undefined && pod === undefined)) return undefined;
  const nodeReady = pod === undefined || tables.nodes.get(pod.node)?.ready !== false;
  const eligibility = matchEligibility(entry, pod && { ...pod, nodeReady }, service.publishNotReady);
  const leaving = eligibility === undefined && pod !== undefined && nodeReady && isServingYet(entry, pod);
  if (eligibility === undefined && !leaving) return undefined;
  const shared = {
    address: entry.address,
    labels: pod?.labels ?? {},
    weight: 1,
    ports: slice.ports,
    namespace: slice.namespace,
    gated: eligibility === 'gated',
  };
  if (pod === undefined) {
    const locality = { ...NO_LOCALITY, zone: entry.zone };
    return { endpoint: { ...shared, mtls: false, plaintextPorts: [], revision: '', locality } };
  }
  const locality = localityOf(tables, pod);
  const tls = buildTls(settings, pod, context.mtls.get(pod.uid), Object.values(slice.ports));
  const { uid: workload, name: podName, revision, ownerKey } = pod;
  const endpoint = { ...shared, workload, podName, ...tls, revision, locality };
  return { endpoint, ownerKey, ...(leaving ? { leaving } : {}) };
}

/** Told to end, and not ended yet. The slice may know of it before the pod. */
function isServingYet({ terminating }: SliceEndpoint, { deleting, ready }: PodFacts): boolean {
  return (terminating || deleting) && ready;
}

/**
 * What callers of these ports of a pod need to know. An endpoint of which every port is DISABLE, or
 * not the sidecar's, speaks no mesh mTLS.
 */
export function buildTls(
  settings: MeshSettings,
  pod: PodFacts,
  decision: MtlsDecision | undefined,
  ports: readonly number[],
): Pick<Endpoint, 'mtls' | 'plaintextPorts' | 'spiffeId'> {
  const none = { mtls: false, plaintextPorts: [] };
  if (!pod.meshTls || decision === undefined) return none;
  const { effective } = decision;
  const isPlain = (port: number) => portMode(effective, port) === 'DISABLE' || !isCaptured(pod.capture, port);
  const plaintextPorts = plainPorts(effective, ports, isPlain);
  if (plaintextPorts === 'all') return none;
  return { mtls: true, plaintextPorts, spiffeId: spiffeIdOf(settings, pod.namespace, pod.serviceAccount) };
}

function isPreferred({ family }: ServiceFacts, one: Endpoint, other: Endpoint): boolean {
  const rank = ({ address, gated }: Endpoint) => (familyOf(address) === family ? 0 : 2) + (gated ? 1 : 0);
  return rank(one) - rank(other) < 0 || (rank(one) === rank(other) && one.address < other.address);
}
