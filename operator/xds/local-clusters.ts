import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { INBOUND_PASSTHROUGH_SOURCE } from '../../proxy/ports.ts';
import type { InboundPort } from '../mesh/snapshot.ts';
import { buildCluster, encodeCluster } from './clusters.ts';
import { buildHttpProtocolOptions } from './http-protocols.ts';
import { BLACK_HOLE_CLUSTER, INBOUND_PASSTHROUGH_CLUSTER, inboundCluster, PASSTHROUGH_CLUSTER } from './names.ts';
import type { XdsResource } from './resource.ts';

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

/** The local application's port, reached at the address the caller used, so that applications bound to the pod's address work too. */
export function translateInboundCluster(port: InboundPort): XdsResource {
  const cluster = originalDestination(inboundCluster(port.port));
  bindToLocalSource(cluster);
  if (port.protocol !== 'tcp' && port.protocol !== 'tls') {
    // Always as the caller spoke: a port declared http2 may be served by an application that also takes HTTP/1.1.
    cluster.typedExtensionProtocolOptions = buildHttpProtocolOptions('auto', 'application');
  }
  return encodeCluster(cluster);
}

function originalDestination(name: string): Cluster {
  const cluster = buildCluster(name);
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST };
  cluster.lbPolicy = Cluster_LbPolicy.CLUSTER_PROVIDED;
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
