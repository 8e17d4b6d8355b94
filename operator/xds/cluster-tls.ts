import { create } from '@bufbuild/protobuf';
import type { TlsVersion } from '../../api/mesh-config.ts';
import { TLS_MODE_ISTIO } from '../../api/pod-names.ts';
import { type Cluster, ClusterSchema } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import type { TransportSocket } from '../../generated/envoy/envoy/config/core/v3/base_pb.js';
import type { TrafficPolicy } from '../mesh/destination-policy.ts';
import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { discoveryOf } from './cluster-discovery.ts';
import { wrapProxyProtocol } from './cluster-proxy-protocol.ts';
import { acceptsMeshTls } from './destination.ts';
import { meshServerName } from './names.ts';
import { buildServerTls, type ClientTls } from './server-tls.ts';
import { buildRawBuffer, buildUpstreamTls, SOCKET_MATCH_KEY } from './tls-sockets.ts';

export interface TlsInput {
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly subset: string;
  readonly revision: string;
  readonly peers: readonly string[];
  readonly policy: TrafficPolicy;
  readonly endpoints: readonly Endpoint[];
  readonly minTls?: TlsVersion;
}

/** How connections are secured: `automatic` is mesh mTLS to each endpoint that takes it. A policy's `tls` without a mode is Istio's default, none. */
export type TlsMode = 'automatic' | NonNullable<ClientTls['mode']>;

export function tlsMode(policy: TrafficPolicy): TlsMode {
  return policy.tls === undefined ? 'automatic' : (policy.tls.mode ?? 'DISABLE');
}

/** Whether other proxies of the mesh are at the other end. */
export function speaksMeshTls({ policy, peers }: Pick<TlsInput, 'policy' | 'peers'>): boolean {
  const mode = tlsMode(policy);
  return mode === 'ISTIO_MUTUAL' || (mode === 'automatic' && peers.length > 0);
}

/** Whether the policy has TLS to servers outside of the mesh. */
export function originatesTls(policy: TrafficPolicy): boolean {
  const mode = tlsMode(policy);
  return mode === 'SIMPLE' || mode === 'MUTUAL';
}

/**
 * Puts into a cluster how its connections are secured (Istio `tls`, `proxyProtocol`).
 * @param alpn what TLS to servers outside of the mesh offers
 */
export function applyTls(cluster: Cluster, input: TlsInput, alpn: readonly string[]): void {
  const { policy } = input;
  const wrap = (socket: TransportSocket): TransportSocket =>
    policy.proxyProtocol === undefined ? socket : wrapProxyProtocol(policy.proxyProtocol, socket);
  if (originatesTls(policy)) {
    cluster.transportSocket = wrap(buildServerTls(policy.tls ?? {}, serverNames(input), alpn));
  } else if (tlsMode(policy) === 'ISTIO_MUTUAL') {
    cluster.transportSocket = wrap(buildMeshTls(input));
  } else if (!speaksMeshTls(input)) {
    if (policy.proxyProtocol !== undefined) cluster.transportSocket = wrap(buildRawBuffer());
  } else if (discoveryOf(input.service, policy) === 'original-destination') {
    // Nothing marks single endpoints here: all of them take it, or none is shown a certificate.
    const all = input.endpoints.every((endpoint) => acceptsMeshTls(endpoint, endpoint.ports[input.port.name] ?? 0));
    if (all || policy.proxyProtocol !== undefined) {
      cluster.transportSocket = wrap(all ? buildMeshTls(input) : buildRawBuffer());
    }
  } else {
    cluster.transportSocketMatches = create(ClusterSchema, {
      transportSocketMatches: [
        { name: 'mesh', match: { [SOCKET_MATCH_KEY]: TLS_MODE_ISTIO }, transportSocket: wrap(buildMeshTls(input)) },
        { name: 'plaintext', match: {}, transportSocket: wrap(buildRawBuffer()) },
      ],
    }).transportSocketMatches;
  }
}

/** Names of which a server outside of the mesh must have one: the policy's, else the service's own. */
export function serverNames({ policy, service }: Pick<TlsInput, 'policy' | 'service'>): readonly string[] {
  const own = policy.tls?.subjectAltNames ?? [];
  return own.length > 0 ? own : service.subjectAltNames;
}

function buildMeshTls({ service, port, subset, revision, peers, policy, minTls }: TlsInput): TransportSocket {
  const { sni, subjectAltNames = [] } = policy.tls ?? {};
  const names = [subjectAltNames, peers, service.subjectAltNames].find((list) => list.length > 0) ?? [];
  return buildUpstreamTls(sni || meshServerName(port.port, service.hostname, revision || subset), names, minTls);
}
