import type { TlsVersion } from '../../api/mesh-config.ts';
import type { SubsetPolicy, TrafficPolicy } from '../mesh/destination-policy.ts';
import { effectivePolicy, type SelectedPolicy } from '../mesh/destination-selection.ts';
import { isHttp } from '../mesh/protocol.ts';
import type { Endpoint, MeshService, ServicePort } from '../mesh/snapshot.ts';
import { Assignment } from './assignment.ts';
import { discoveryOf } from './cluster-discovery.ts';
import { translatePodCluster, translateServiceCluster } from './clusters.ts';
import { acceptsMeshTls, buildDestination, type DestinationSplit, expectedPeers, type Share } from './destination.ts';
import { Lazy } from './lazy.ts';
import { podCluster } from './names.ts';
import { meshPods } from './outbound-target.ts';
import type { XdsResource } from './resource.ts';
import { routablePorts } from './routable-ports.ts';

/** Where traffic goes for one port of a service, or for a subset of that, and by what policy. */
export interface PortDestination {
  readonly shares: readonly Share[];
  readonly split?: DestinationSplit;
  readonly policy: TrafficPolicy;
}

/** All that one service adds to the mesh for the clients that one selection of destination policies applies to. */
export interface ServiceVariant {
  readonly service: MeshService;
  /** Listeners and routes need to know that they are there; encoded they are for who is sent them. */
  readonly clusters: ReadonlyMap<string, Lazy<XdsResource>>;
  /** By cluster. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** Port → subset ('': the whole service). */
  readonly destinations: ReadonlyMap<number, ReadonlyMap<string, PortDestination>>;
  /** Ports whose single pods, of a headless service, are reached with mTLS: their shares. */
  readonly podShares: ReadonlyMap<number, readonly Share[]>;
  /** Equal while routes to the service stay what they are. */
  readonly routingKey: string;
  /** What the clusters were made from, so that new endpoints alone need not encode them again. */
  readonly clusterKey: string;
}

/** What is put together while a variant is built. */
interface Draft {
  readonly clusters: Map<string, Lazy<XdsResource>>;
  readonly assignments: Map<string, Assignment>;
  readonly peers: readonly string[];
  readonly reusable: ReadonlyMap<string, Lazy<XdsResource>> | undefined;
  readonly minTls: TlsVersion | undefined;
}

/**
 * Translates one service as some clients see it.
 * @param previous what an earlier call gave for the same service and selection; its clusters are kept when nothing they depend on differs
 * @param minTls the oldest TLS that is spoken with other proxies; undefined: 1.3
 */
export function buildServiceVariant(
  service: MeshService,
  endpoints: readonly Endpoint[],
  selected: SelectedPolicy | undefined,
  previous: ServiceVariant | undefined,
  minTls?: TlsVersion,
): ServiceVariant {
  const peers = service.external ? [] : expectedPeers(endpoints);
  const clusterKey = keyOfClusters(service, endpoints, peers);
  const reusable = previous?.clusterKey === clusterKey ? previous.clusters : undefined;
  const draft: Draft = { clusters: new Map(), assignments: new Map(), peers, reusable, minTls };
  const destinations = new Map<number, ReadonlyMap<string, PortDestination>>();
  const podShares = new Map<number, readonly Share[]>();
  const subsets = [undefined, ...(selected?.subsets.values() ?? [])];
  for (const port of routablePorts(service)) {
    const bySubset = new Map<string, PortDestination>();
    for (const subset of subsets) {
      const policy = effectivePolicy(selected, subset?.name, port.port);
      bySubset.set(subset?.name ?? '', addPools(draft, { service, port, endpoints, subset, policy }));
    }
    destinations.set(port.port, bySubset);
    const whole = effectivePolicy(selected, undefined, port.port);
    const direct = addPodPath(draft, { service, port, endpoints, subset: undefined, policy: whole });
    if (direct !== undefined && isHttp(port.protocol)) podShares.set(port.port, direct);
  }
  const shares = [...destinations].map(([port, entries]) => [
    port,
    // Of a split all have the same terms, which may be long.
    [...entries].map(([name, { shares, split }]) => [name, shares, split && [split.stable, split.next]]),
  ]);
  const { kind, addresses, dnsAddress, externalName, ports, visibility, split } = service;
  const terms = split?.terms && [split.canary, split.terms];
  const facts = [kind, addresses, dnsAddress, externalName, ports, visibility, terms];
  const routingKey = JSON.stringify([facts, shares, [...podShares]]);
  const { clusters, assignments } = draft;
  return { service, clusters, assignments, destinations, podShares, routingKey, clusterKey };
}

interface PoolInput {
  readonly service: MeshService;
  readonly port: ServicePort;
  readonly endpoints: readonly Endpoint[];
  readonly subset: SubsetPolicy | undefined;
  readonly policy: TrafficPolicy;
}

function addPools(draft: Draft, { service, port, endpoints, subset, policy }: PoolInput): PortDestination {
  const { pools, shares, split } = buildDestination(service, port, endpoints, subset);
  const { peers, minTls } = draft;
  for (const { cluster, revision, endpoints: members } of pools) {
    const encoded =
      draft.reusable?.get(cluster) ??
      new Lazy(() =>
        translateServiceCluster({
          name: cluster,
          service,
          port,
          subset: subset?.name ?? '',
          revision,
          peers,
          policy,
          endpoints: members,
          ...(minTls && { minTls }),
        }),
      );
    draft.clusters.set(cluster, encoded);
    if (discoveryOf(service, policy) === 'endpoints') {
      const input = { cluster, portName: port.name, endpoints: members, policy };
      draft.assignments.set(cluster, new Assignment(input, encoded));
    }
  }
  return { shares, policy, ...(split === undefined ? {} : { split }) };
}

/** How single pods of a headless service are reached: with mTLS when all that serve the port take it. */
function addPodPath(
  { clusters, peers, reusable, minTls }: Draft,
  { service, port, endpoints, policy }: PoolInput,
): Share[] | undefined {
  // A policy that has other TLS, or none, has the service's own way.
  const meshTls = policy.tls?.mode === undefined || policy.tls.mode === 'ISTIO_MUTUAL';
  if (service.kind !== 'Headless' || peers.length === 0 || !meshTls) return undefined;
  const name = podCluster(port.port, service.hostname);
  const cluster = new Lazy(() => translatePodCluster(service.hostname, port, peers, policy, minTls));
  clusters.set(name, reusable?.get(name) ?? cluster);
  const serving = endpoints.filter((endpoint) => endpoint.ports[port.name] === port.port);
  const all = serving.length > 0 && serving.length === meshPods(endpoints, port).length;
  return all ? [{ cluster: name, weight: 100 }] : undefined;
}

/** Endpoints found by DNS stand in the cluster itself. */
function keyOfClusters(service: MeshService, endpoints: readonly Endpoint[], peers: readonly string[]): string {
  const { kind, resolution, external, ports, split, subjectAltNames, hostname } = service;
  const inline = resolution === 'dns' || resolution === 'dns-round-robin' ? endpoints : [];
  // Where clients choose the endpoint themselves, mesh mTLS is spoken only if all take it.
  const taking = ports.map((port) => endpoints.every((one) => acceptsMeshTls(one, one.ports[port.name] ?? 0)));
  const facts = [
    kind,
    resolution,
    external,
    hostname,
    ports,
    split?.stable,
    split?.next,
    subjectAltNames,
    peers,
    taking,
  ];
  return JSON.stringify([facts, inline]);
}
