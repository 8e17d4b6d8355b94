import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { translateCluster, translatePodCluster } from './clusters.ts';
import { buildDestination, expectedPeers, type Share } from './destination.ts';
import { isHttp } from './http-protocols.ts';
import { translateLoadAssignment } from './load-assignments.ts';
import { podCluster } from './names.ts';
import { buildOutboundTarget, meshPods, type OutboundTarget } from './outbound-target.ts';
import type { XdsResource } from './resource.ts';

/** A port of a service to which HTTP may be routed by host. */
export interface HttpDestination {
  readonly port: number;
  readonly shares: readonly Share[];
  /** For hosts that name single pods of a headless service. */
  readonly podShares?: readonly Share[];
}

/** All that one service adds to the mesh, by itself. */
export interface ServiceResources {
  readonly service: MeshService;
  readonly clusters: ReadonlyMap<string, XdsResource>;
  readonly assignments: ReadonlyMap<string, XdsResource>;
  readonly http: readonly HttpDestination[];
  readonly targets: readonly OutboundTarget[];
  /** What the clusters were made from, so that new endpoints alone need not encode them again. */
  readonly clusterKey: string;
}

/**
 * Translates one service.
 *
 * @param previous what an earlier call gave for the same hostname; its clusters are kept when nothing they depend on differs
 */
export function translateService(
  service: MeshService,
  endpoints: readonly Endpoint[],
  previous: ServiceResources | undefined,
): ServiceResources {
  const peers = expectedPeers(endpoints);
  const clusterKey = JSON.stringify([service.kind, service.ports, service.split?.stable, service.split?.next, peers]);
  const reusable = previous?.clusterKey === clusterKey ? previous.clusters : undefined;
  const clusters = new Map<string, XdsResource>();
  const assignments = new Map<string, XdsResource>();
  const http: HttpDestination[] = [];
  const targets: OutboundTarget[] = [];
  for (const port of routablePorts(service)) {
    const { pools, shares } = buildDestination(service, port, endpoints);
    for (const { cluster, revision, endpoints: members } of pools) {
      const encoded = reusable?.get(cluster) ?? translateCluster(service, port, cluster, revision, peers);
      clusters.set(cluster, encoded);
      assignments.set(cluster, translateLoadAssignment(cluster, port.name, members, encoded.version));
    }
    const direct = podPath(service, port, endpoints, peers, reusable);
    if (direct.cluster !== undefined) clusters.set(direct.cluster.name, direct.cluster);
    if (isHttp(port.protocol)) {
      http.push({ port: port.port, shares, ...(direct.shares === undefined ? {} : { podShares: direct.shares }) });
    }
    const target = buildOutboundTarget(service, port, shares, endpoints);
    if (target !== undefined) targets.push(target);
  }
  return { service, clusters, assignments, http, targets, clusterKey };
}

/** Ports that carry TCP, one per number. ExternalName services are names for others and have none of their own. */
function routablePorts(service: MeshService): ServicePort[] {
  if (service.kind === 'ExternalName') return [];
  const ports = new Map<number, ServicePort>();
  for (const port of service.ports) {
    if (port.protocol !== 'udp' && !ports.has(port.port)) ports.set(port.port, port);
  }
  return [...ports.values()];
}

/** How single pods of a headless service are reached: with mTLS when all that serve the port take it. */
function podPath(
  service: MeshService,
  port: ServicePort,
  endpoints: readonly Endpoint[],
  peers: readonly string[],
  reusable: ReadonlyMap<string, XdsResource> | undefined,
): { cluster?: XdsResource; shares?: Share[] } {
  if (service.kind !== 'Headless' || peers.length === 0) return {};
  const name = podCluster(port.port, service.hostname);
  const cluster = reusable?.get(name) ?? translatePodCluster(service.hostname, port, peers);
  const serving = endpoints.filter((endpoint) => endpoint.ports[port.name] === port.port);
  const all = serving.length > 0 && serving.length === meshPods(endpoints, port).length;
  return { cluster, ...(all ? { shares: [{ cluster: name, weight: 100 }] } : {}) };
}
