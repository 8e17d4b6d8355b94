import { matchEligibility } from './eligibility.ts';
import { buildTls, type EndpointContext } from './endpoint.ts';
import { localityOf } from './locality.ts';
import { NO_LOCALITY } from './node.ts';
import { objectKey } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { ServiceEntryFacts } from './service-entry.ts';
import type { Endpoint, Hostname } from './snapshot.ts';
import { boundWeights, buildEntryEndpoint, hasIpAddress, portsOf } from './workload-entry-endpoint.ts';

/** The eligible endpoints of one host of a ServiceEntry, in a stable order. */
export function buildEntryEndpoints(
  context: EndpointContext,
  entry: ServiceEntryFacts,
  hostname: Hostname,
): readonly Endpoint[] {
  const endpoints = entry.resolvesHosts
    ? [buildHostEndpoint(entry, hostname)]
    : [...buildListed(context, entry), ...buildSelected(context, entry)];
  // Envoy resolves one name here, and refuses more.
  if (entry.resolution === 'dns-round-robin') return endpoints.slice(0, 1);
  return boundWeights(endpoints);
}

/** The host itself is what is resolved. */
function buildHostEndpoint({ ref, ports }: ServiceEntryFacts, hostname: Hostname): Endpoint {
  return {
    address: hostname,
    labels: {},
    weight: 1,
    ports: portsOf(ports, {}),
    namespace: ref.namespace,
    mtls: false,
    plaintextPorts: [],
    revision: '',
    gated: false,
    locality: NO_LOCALITY,
  };
}

function buildListed(context: EndpointContext, entry: ServiceEntryFacts): Endpoint[] {
  const { endpoints, ref, ports, external } = entry;
  return endpoints.map((one) => buildEntryEndpoint(context, ref.namespace, one, ports, !external));
}

function buildSelected(context: EndpointContext, entry: ServiceEntryFacts): Endpoint[] {
  const { tables } = context;
  const { ref, ports, external, selector, resolution } = entry;
  const { namespace } = ref;
  const found = new Map<string, Endpoint>();
  for (const pod of tables.podsSelectedBy({ namespace, selector })) {
    const endpoint = buildPodEndpoint(context, entry, pod);
    if (endpoint !== undefined) found.set(`Pod ${pod.uid}`, endpoint);
  }
  for (const { key, ref: entry, workload } of tables.workloadEntriesSelectedBy(namespace, selector)) {
    if (workload === undefined || (resolution === 'endpoints' && !hasIpAddress(workload))) continue;
    const endpoint = buildEntryEndpoint(context, namespace, workload, ports, !external);
    found.set(`WorkloadEntry ${key}`, { ...endpoint, entry: objectKey(entry) });
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

/** No slice speaks for such a pod, so its own Ready condition does; and there is no split that one held back could be a side of. */
function buildPodEndpoint(
  { settings, tables, mtls }: EndpointContext,
  { ref, ports: servicePorts, external }: ServiceEntryFacts,
  pod: PodFacts,
): Endpoint | undefined {
  const { uid: workload, name: podName, labels, revision, deleting } = pod;
  const [address] = pod.addresses;
  const nodeReady = tables.nodes.get(pod.node)?.ready !== false;
  const slice = { ready: pod.ready && nodeReady, terminating: deleting };
  if (address === undefined || matchEligibility(slice, { ...pod, nodeReady }, false) !== 'ready') return undefined;
  const ports = portsOf(servicePorts, namedPorts(pod));
  const tls = external
    ? { mtls: false, plaintextPorts: [] }
    : buildTls(settings, pod, mtls.get(pod.uid), Object.values(ports));
  const locality = localityOf(tables, pod);
  const shared = { address, labels, weight: 1, ports, namespace: ref.namespace, gated: false };
  return { ...shared, workload, podName, ...tls, revision, locality };
}

/** Of two container ports of one name Kubernetes takes the first. */
function namedPorts({ ports }: PodFacts): Record<string, number> {
  return Object.fromEntries([...ports].reverse().map(({ name, port }) => [name, port]));
}
