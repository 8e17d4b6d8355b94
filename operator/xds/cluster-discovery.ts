import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { DnsLookupFamily } from '../../generated/envoy/envoy/extensions/clusters/common/dns/v3/dns_pb.js';
import { DnsClusterSchema } from '../../generated/envoy/envoy/extensions/clusters/dns/v3/dns_cluster_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { Endpoint, MeshService, Resolution, ServicePort } from '../mesh/snapshot.ts';
import { adsSource } from './config-source.ts';
import { milliseconds, pack } from './encoding.ts';
import { buildAssignment } from './load-assignments.ts';
import type { AssignmentClient } from './locality-failover.ts';

/** How often names are resolved where the answers' TTL does not say, as in Istio. */
const DNS_REFRESH_MS = 60_000;
/** Names that can't be resolved are tried again at once, then ever less often. */
const DNS_RETRY = { baseMs: 1000, maxMs: 10_000 };

export interface DiscoveryInput {
  readonly name: string;
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly policy: TrafficPolicy;
  readonly endpoints: readonly Endpoint[];
  readonly client?: AssignmentClient;
}

/** How a cluster finds its endpoints: as the service has it, unless the policy sends connections where the client wanted to go. */
export function discoveryOf(service: MeshService, policy: TrafficPolicy): Resolution {
  return policy.loadBalancer?.simple === 'PASSTHROUGH' ? 'original-destination' : service.resolution;
}

/** Puts into a cluster where its endpoints come from, or, of services resolved by DNS, the endpoints themselves. */
export function applyDiscovery(cluster: Cluster, input: DiscoveryInput): void {
  switch (discoveryOf(input.service, input.policy)) {
    case 'endpoints':
      cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.EDS };
      cluster.edsClusterConfig = create(ClusterSchema, {
        edsClusterConfig: { edsConfig: adsSource() },
      }).edsClusterConfig;
      return;
    case 'original-destination':
      applyOriginalDestination(cluster, input);
      return;
    case 'dns':
      applyDns(cluster, input, false);
      return;
    case 'dns-round-robin':
      applyDns(cluster, input, true);
  }
}

/** A ServiceEntry's `targetPort` takes the place of the port that the client chose. */
function applyOriginalDestination(cluster: Cluster, { service, port }: DiscoveryInput): void {
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
  const target = Number(port.targetPort);
  if (service.kind !== 'Entry' || !Number.isInteger(target) || target === port.port) return;
  const value = { upstreamPortOverride: target };
  cluster.lbConfig = create(ClusterSchema, { lbConfig: { case: 'originalDstLbConfig', value } }).lbConfig;
}

/**
 * Envoy's cluster of DNS names: an endpoint per answer, as STRICT_DNS, or, with `rotate`, one for all answers of the only name, as LOGICAL_DNS.
 * The cluster is ready before its names are resolved, so that a name that can't be resolved holds up no sidecar's start.
 */
function applyDns(cluster: Cluster, input: DiscoveryInput, rotate: boolean): void {
  const { name, port, policy, client } = input;
  const serving = input.endpoints.filter((endpoint) => Object.hasOwn(endpoint.ports, port.name));
  // Envoy takes one name at most here, and never none.
  const single = rotate && serving.length > 0;
  const typedConfig = create(DnsClusterSchema, {
    dnsRefreshRate: milliseconds(DNS_REFRESH_MS),
    dnsFailureRefreshRate: {
      baseInterval: milliseconds(DNS_RETRY.baseMs),
      maxInterval: milliseconds(DNS_RETRY.maxMs),
    },
    respectDnsTtl: true,
    dnsLookupFamily: DnsLookupFamily.V4_PREFERRED,
    allAddressesInSingleEndpoint: single,
  });
  cluster.clusterDiscoveryType = create(ClusterSchema, {
    clusterDiscoveryType: {
      case: 'clusterType',
      value: { name: 'envoy.clusters.dns', typedConfig: pack(DnsClusterSchema, typedConfig) },
    },
  }).clusterDiscoveryType;
  cluster.waitForWarmOnInit = false;
  const endpoints = single ? serving.slice(0, 1) : serving;
  // A policy has nothing to choose from where there is one name, and must not leave it out.
  const choice = single ? { policy: {}, client: undefined } : { policy, client };
  cluster.loadAssignment = buildAssignment({ cluster: name, portName: port.name, endpoints, ...choice });
}
