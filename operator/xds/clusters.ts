import { create, toBinary } from '@bufbuild/protobuf';
import type { TlsVersion } from '../../api/mesh-config.ts';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { Endpoint, Hostname, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { alpnMetadata } from './alpn-filter.ts';
import { applyConnectionPool, buildThresholds } from './cluster-connection-pool.ts';
import { applyDiscovery, discoveryOf } from './cluster-discovery.ts';
import { carriesHttp, httpLimits, httpSettings, versionOf } from './cluster-http.ts';
import { applyLoadBalancing } from './cluster-load-balancing.ts';
import { buildOutlierDetection } from './cluster-outlier-detection.ts';
import { applyTls, speaksMeshTls } from './cluster-tls.ts';
import { encodeResource, milliseconds } from './encoding.ts';
import { buildHttpProtocolOptions, httpVersion } from './http-protocols.ts';
import type { AssignmentClient } from './locality-failover.ts';
import { meshServerName, podCluster } from './names.ts';
import { CLUSTER_TYPE, type XdsResource } from './resource.ts';
import { buildUpstreamTls } from './tls-sockets.ts';

const CONNECT_TIMEOUT_MS = 5000;

/** What all clusters share. */
export function buildCluster(name: string): Cluster {
  return create(ClusterSchema, {
    name,
    connectTimeout: milliseconds(CONNECT_TIMEOUT_MS),
    circuitBreakers: { thresholds: [buildThresholds({})] },
  });
}

export function encodeCluster(cluster: Cluster): XdsResource {
  const { case: kind, value } = cluster.clusterDiscoveryType;
  const phase = kind === 'type' && value === Cluster_DiscoveryType.EDS ? 'secondary' : 'primary';
  return { ...encodeResource(CLUSTER_TYPE, cluster.name, toBinary(ClusterSchema, cluster)), phase };
}

export interface ClusterInput {
  /** `outbound|PORT|SUBSET|HOST[|REVISION]`. */
  readonly name: string;
  readonly service: MeshService;
  readonly port: ServicePort;
  /** '' without one. */
  readonly subset: string;
  /** '' without one. */
  readonly revision: string;
  /** SPIFFE IDs a peer may have; empty: no endpoint takes mesh mTLS. */
  readonly peers: readonly string[];
  /** Of the DestinationRule for the client, merged for subset and port; {} without. */
  readonly policy: TrafficPolicy;
  /**
   * Of services found by DNS they become part of the cluster; of those whose policy sends connections to where the client wanted to go
   * (PASSTHROUGH) all of them must take mesh mTLS for it to be used.
   */
  readonly endpoints: readonly Endpoint[];
  /** For endpoints that are part of the cluster, where their order or weights depend on it; without it all are alike. */
  readonly client?: AssignmentClient;
  /** The oldest TLS that is spoken with other proxies; absent: 1.3. */
  readonly minTls?: TlsVersion;
}

/** The cluster of a service's port, of a subset or revision of it, by the policy of whoever calls. */
export function translateServiceCluster(input: ClusterInput): XdsResource {
  const { name, service, port, policy } = input;
  const cluster = buildCluster(name);
  applyConnectionPool(cluster, policy);
  applyDiscovery(cluster, input);
  if (discoveryOf(service, policy) !== 'original-destination') applyLoadBalancing(cluster, policy);
  if (policy.outlierDetection !== undefined) cluster.outlierDetection = buildOutlierDetection(policy.outlierDetection);
  if (carriesHttp(port.protocol, policy)) {
    const peer = speaksMeshTls(input) ? 'proxy' : 'application';
    if (peer === 'proxy') cluster.metadata = alpnMetadata();
    const limits = httpSettings(port.protocol, policy, service);
    // The server's sidecar hands on what it gets, and the application did not ask for HTTP/2.
    const settings =
      peer === 'proxy' && isUpgrade(policy) ? { ...limits, version: httpVersion(port.protocol) } : limits;
    cluster.typedExtensionProtocolOptions = buildHttpProtocolOptions(port.protocol, peer, settings);
  }
  // Where it depends on the client what is spoken, Envoy offers that by itself.
  const http2 = carriesHttp(port.protocol, policy) && versionOf(port.protocol, policy) === 'http2';
  applyTls(cluster, input, http2 ? ['h2'] : []);
  return encodeCluster(cluster);
}

function isUpgrade({ connectionPool }: TrafficPolicy): boolean {
  return connectionPool?.http?.h2UpgradePolicy === 'UPGRADE';
}

/**
 * Single pods of a headless service over mTLS: each connection goes to the pod it was made to.
 *
 * @param peers SPIFFE IDs a peer may have, at least one
 * @param policy of the service for the client; what it says of choosing endpoints and of TLS other than the mesh's has no meaning here
 */
export function translatePodCluster(
  hostname: Hostname,
  port: ServicePort,
  peers: readonly string[],
  policy: TrafficPolicy = {},
  minTls?: TlsVersion,
): XdsResource {
  const cluster = buildCluster(podCluster(port.port, hostname));
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
  cluster.transportSocket = buildUpstreamTls(meshServerName(port.port, hostname), peers, minTls);
  applyConnectionPool(cluster, policy);
  if (isHttp(port.protocol)) {
    cluster.metadata = alpnMetadata();
    const settings = httpLimits(port.protocol, policy);
    cluster.typedExtensionProtocolOptions = buildHttpProtocolOptions(port.protocol, 'proxy', settings);
  }
  return encodeCluster(cluster);
}
