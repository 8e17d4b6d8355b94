import { create, toBinary } from '@bufbuild/protobuf';
import { TLS_MODE_ISTIO } from '../../api/pod-names.ts';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { AppProtocol, Hostname, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { adsSource } from './config-source.ts';
import { encodeResource, milliseconds } from './encoding.ts';
import { buildHttpProtocolOptions, type Peer } from './http-protocols.ts';
import { meshServerName, podCluster } from './names.ts';
import { CLUSTER_TYPE, type XdsResource } from './resource.ts';
import { buildRawBuffer, buildUpstreamTls } from './tls-sockets.ts';

const CONNECT_TIMEOUT_MS = 5000;
const UNLIMITED = 0xffffffff;

/** Endpoint metadata that Envoy holds against `transport_socket_matches`. */
export const SOCKET_MATCH_FILTER = 'envoy.transport_socket_match';
export const SOCKET_MATCH_KEY = 'tlsMode';

/** What all clusters share: Envoy's default limits of 1024 would refuse requests that Kubernetes alone would have let through. */
export function buildCluster(name: string): Cluster {
  return create(ClusterSchema, {
    name,
    connectTimeout: milliseconds(CONNECT_TIMEOUT_MS),
    circuitBreakers: {
      thresholds: [
        {
          maxConnections: UNLIMITED,
          maxPendingRequests: UNLIMITED,
          maxRequests: UNLIMITED,
          maxRetries: UNLIMITED,
          trackRemaining: false,
        },
      ],
    },
  });
}

export function encodeCluster(cluster: Cluster): XdsResource {
  return encodeResource(CLUSTER_TYPE, cluster.name, toBinary(ClusterSchema, cluster));
}

/**
 * The cluster of one pool of a service's port: endpoints by EDS, least requests first, mTLS to each endpoint that takes it.
 *
 * @param peers SPIFFE IDs a peer may have; with none, everything is plaintext
 */
export function translateCluster(
  service: MeshService,
  port: ServicePort,
  name: string,
  revision: string,
  peers: readonly string[],
): XdsResource {
  const cluster = buildCluster(name);
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.EDS };
  cluster.edsClusterConfig = create(ClusterSchema, { edsClusterConfig: { edsConfig: adsSource() } }).edsClusterConfig;
  cluster.lbPolicy = Cluster_LbPolicy.LEAST_REQUEST;
  // Better to fail at once, and be retried elsewhere, than to try hosts known to be gone.
  cluster.commonLbConfig = create(ClusterSchema, {
    commonLbConfig: { healthyPanicThreshold: { value: 0 } },
  }).commonLbConfig;
  addProtocol(cluster, port.protocol, peers.length > 0 ? 'proxy' : 'application');
  if (peers.length > 0) {
    const serverName = meshServerName(port.port, service.hostname, revision);
    cluster.transportSocketMatches = create(ClusterSchema, {
      transportSocketMatches: [
        {
          name: 'mesh',
          match: { [SOCKET_MATCH_KEY]: TLS_MODE_ISTIO },
          transportSocket: buildUpstreamTls(serverName, peers),
        },
        { name: 'plaintext', match: {}, transportSocket: buildRawBuffer() },
      ],
    }).transportSocketMatches;
  }
  return encodeCluster(cluster);
}

/**
 * Single pods of a headless service over mTLS: each connection goes to the pod it was made to.
 *
 * @param peers SPIFFE IDs a peer may have, at least one
 */
export function translatePodCluster(hostname: Hostname, port: ServicePort, peers: readonly string[]): XdsResource {
  const cluster = buildCluster(podCluster(port.port, hostname));
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
  cluster.transportSocket = buildUpstreamTls(meshServerName(port.port, hostname), peers);
  addProtocol(cluster, port.protocol, 'proxy');
  return encodeCluster(cluster);
}

function addProtocol(cluster: Cluster, protocol: AppProtocol, peer: Peer): void {
  if (protocol === 'tcp' || protocol === 'tls') return;
  cluster.typedExtensionProtocolOptions = buildHttpProtocolOptions(protocol, peer);
}
