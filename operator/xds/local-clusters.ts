import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { INBOUND_PASSTHROUGH_SOURCE } from '../../proxy/ports.ts';
import type { InboundPort } from '../mesh/snapshot.ts';
import { applyConnectionPool } from './cluster-connection-pool.ts';
import { httpLimits } from './cluster-http.ts';
import { buildCluster, encodeCluster } from './clusters.ts';
import { buildHttpProtocolOptions } from './http-protocols.ts';
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, inboundCluster, PASSTHROUGH_CLUSTER } from './names.ts';
import type { XdsResource } from './resource.ts';

/** Where a Sidecar's `defaultEndpoint` says "any address". */
const ANY_ADDRESS = '0.0.0.0';

/** Clusters that every proxy has, whatever the mesh holds. */
export function translateBuiltinClusters(): XdsResource[] {
  const passthrough = originalDestination(PASSTHROUGH_CLUSTER);
  passthrough.typedExtensionProtocolOptions = buildHttpProtocolOptions('auto', 'application');
  const inbound = originalDestination(INBOUND_PASSTHROUGH_CLUSTER);
  bindToLocalSource(inbound);
  const blackHole = buildCluster(BLACK_HOLE_CLUSTER);
  blackHole.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STATIC };
  return [passthrough, inbound, blackHole].map(encodeCluster);
}

/**
 * The local application's port, reached at the address the caller used, so that applications bound to the pod's address work too; or where a
 * Sidecar says that the application listens (`0.0.0.0`: any address, so the one the caller used, on another port).
 */
export function translateInboundCluster(
  port: Pick<InboundPort, 'port' | 'protocol' | 'target' | 'connectionPool'>,
): XdsResource {
  const { target, connectionPool, protocol } = port;
  const name = inboundCluster(port.port);
  const fixed = target !== undefined && target.address !== ANY_ADDRESS;
  const cluster = fixed ? fixedDestination(name, target) : originalDestination(name, target?.port);
  bindToLocalSource(cluster);
  const policy = connectionPool === undefined ? {} : { connectionPool };
  applyConnectionPool(cluster, policy);
  if (protocol !== 'tcp' && protocol !== 'tls') {
    // Always as the caller spoke: a port declared http2 may be served by an application that also takes HTTP/1.1.
    const settings = { ...httpLimits('auto', policy), version: 'client' as const };
    cluster.typedExtensionProtocolOptions = buildHttpProtocolOptions('auto', 'application', settings);
  }
  return encodeCluster(cluster);
}

/** @param port in place of the one the caller used */
function originalDestination(name: string, port?: number): Cluster {
  const cluster = buildCluster(name);
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
  if (port !== undefined) {
    cluster.lbConfig = create(ClusterSchema, {
      lbConfig: { case: 'originalDstLbConfig', value: { upstreamPortOverride: port } },
    }).lbConfig;
  }
  return cluster;
}

function fixedDestination(
  name: string,
  { address, port }: { readonly address: string; readonly port: number },
): Cluster {
  const cluster = buildCluster(name);
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STATIC };
  const socketAddress = { address, portSpecifier: { case: 'portValue' as const, value: port } };
  cluster.loadAssignment = create(ClusterSchema, {
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: {
                case: 'endpoint',
                value: { address: { address: { case: 'socketAddress', value: socketAddress } } },
              },
            },
          ],
        },
      ],
    },
  }).loadAssignment;
  return cluster;
}

/** Connections from this source are not redirected again. */
function bindToLocalSource(cluster: Cluster): void {
  cluster.upstreamBindConfig = create(ClusterSchema, {
    upstreamBindConfig: {
      sourceAddress: {
        address: INBOUND_PASSTHROUGH_SOURCE,
        portSpecifier: { case: 'portValue', value: 0 },
      },
    },
  }).upstreamBindConfig;
}
