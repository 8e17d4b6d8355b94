import { create, toBinary } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import { contentHash, encodeField, encodeResourceParts } from './encoding.ts';
import { routeConfiguration, UNDELIVERED_HEADER } from './names.ts';
import { ROUTE_TYPE, type XdsResource } from './resource.ts';
import type { HttpDestination } from './service-resources.ts';
import { type HostScope, serviceDomains, translatePassthroughHost, translateVirtualHost } from './virtual-hosts.ts';

/** Field number of `RouteConfiguration.virtual_hosts`. */
const VIRTUAL_HOSTS_FIELD = 2;
/** The variant for all namespaces that own no host on the port. */
const FOREIGN = '';

interface EncodedHosts {
  /** Tag, length and message of each virtual host. */
  readonly fields: readonly Uint8Array[];
  readonly hash: string;
}

/** The virtual hosts of one service on one port. */
interface HostEntry {
  readonly service: MeshService;
  readonly destination: HttpDestination;
  readonly key: string;
  readonly encoded: Map<HostScope, EncodedHosts>;
}

interface PortRoutes {
  readonly hosts: Map<Hostname, HostEntry>;
  /** Hostnames in order; undefined when it has to be sorted again. */
  order: readonly Hostname[] | undefined;
  readonly variants: Map<string, XdsResource>;
}

/**
 * Virtual hosts, each encoded once, and the route configurations put together from their bytes: one per port and per namespace that has asked
 * and differs from the rest (it owns a host on that port, so that its short names mean something).
 */
export class RouteTable {
  private readonly ports = new Map<number, PortRoutes>();
  private readonly passthrough = encodeHosts([translatePassthroughHost()]);

  /**
   * Takes the newest destinations of a service, or of a name for another service.
   *
   * @param service gives the domains
   * @param destinations empty when the service is gone or has no HTTP
   * @returns the ports whose route configurations differ now
   */
  set(hostname: Hostname, service: MeshService | undefined, destinations: readonly HttpDestination[]): number[] {
    const changed: number[] = [];
    const wanted = new Map(destinations.map((destination) => [destination.port, destination]));
    for (const [port, routes] of this.ports) {
      if (routes.hosts.has(hostname) && !wanted.has(port)) {
        routes.hosts.delete(hostname);
        this.invalidate(port, routes, true);
        changed.push(port);
      }
    }
    if (service === undefined) return changed;
    for (const [port, destination] of wanted) {
      const key = hostKey(service, destination);
      const routes = this.ports.get(port) ?? { hosts: new Map(), order: undefined, variants: new Map() };
      const before = routes.hosts.get(hostname);
      if (before?.key === key) continue;
      this.ports.set(port, routes);
      routes.hosts.set(hostname, { service, destination, key, encoded: new Map() });
      this.invalidate(port, routes, before === undefined);
      changed.push(port);
    }
    return changed;
  }

  /** The route configuration of the port as a namespace sees it; undefined when no service has HTTP there. */
  get(port: number, namespace: string): XdsResource | undefined {
    const routes = this.ports.get(port);
    if (routes === undefined) return undefined;
    const variant = ownsHost(routes, namespace) ? namespace : FOREIGN;
    const known = routes.variants.get(variant);
    if (known !== undefined) return known;
    const built = this.assemble(port, routes, variant);
    routes.variants.set(variant, built);
    return built;
  }

  /** Ports with a route configuration. */
  all(): IterableIterator<number> {
    return this.ports.keys();
  }

  private invalidate(port: number, routes: PortRoutes, membership: boolean): void {
    routes.variants.clear();
    if (membership) routes.order = undefined;
    if (routes.hosts.size === 0) this.ports.delete(port);
  }

  private assemble(port: number, routes: PortRoutes, variant: string): XdsResource {
    routes.order ??= [...routes.hosts.keys()].sort();
    const name = routeConfiguration(port);
    const head = toBinary(
      RouteConfigurationSchema,
      create(RouteConfigurationSchema, {
        name,
        validateClusters: false,
        ignorePortInHostMatching: true,
        responseHeadersToRemove: [UNDELIVERED_HEADER],
      }),
    );
    const hosts: EncodedHosts[] = [];
    const taken = new Set<string>();
    for (const hostname of routes.order) {
      const entry = routes.hosts.get(hostname);
      if (entry === undefined) continue;
      hosts.push(encodedHosts(withoutTaken(entry, taken), entry.service.namespace === variant ? 'home' : 'foreign'));
      for (const address of entry.service.addresses) taken.add(address);
    }
    hosts.push(this.passthrough);
    // Hashing the hosts' hashes instead of their bytes keeps a change of one host from costing as much as the whole port.
    const version = contentHash(head, hosts.map((host) => host.hash).join());
    return encodeResourceParts(ROUTE_TYPE, name, [head, ...hosts.flatMap((host) => host.fields)], version);
  }
}

/** Domains depend on the addresses, which a Service can change in its life; everything else of it is in the hostname. */
function hostKey(service: MeshService, destination: HttpDestination): string {
  return JSON.stringify([service.addresses, destination]);
}

function ownsHost(routes: PortRoutes, namespace: string): boolean {
  for (const entry of routes.hosts.values()) {
    if (entry.service.namespace === namespace) return true;
  }
  return false;
}

/**
 * Two Services may claim one cluster IP for a moment (or for longer, when somebody writes them by hand). Envoy refuses the whole route configuration for
 * that, so the first has it.
 */
function withoutTaken(entry: HostEntry, taken: ReadonlySet<string>): HostEntry {
  if (!entry.service.addresses.some((address) => taken.has(address))) return entry;
  const addresses = entry.service.addresses.filter((address) => !taken.has(address));
  return { ...entry, service: { ...entry.service, addresses }, encoded: new Map() };
}

function encodedHosts(entry: HostEntry, scope: HostScope): EncodedHosts {
  const known = entry.encoded.get(scope);
  if (known !== undefined) return known;
  const { service, destination } = entry;
  const name = `${service.hostname}:${destination.port}`;
  const hosts = [translateVirtualHost(name, serviceDomains(service, scope), destination.shares)];
  if (destination.podShares !== undefined) {
    hosts.push(translateVirtualHost(`*.${name}`, serviceDomains(service, scope, '*.'), destination.podShares));
  }
  const built = encodeHosts(hosts);
  entry.encoded.set(scope, built);
  return built;
}

function encodeHosts(hosts: readonly Uint8Array[]): EncodedHosts {
  return { fields: hosts.map((host) => encodeField(VIRTUAL_HOSTS_FIELD, host)), hash: contentHash(...hosts) };
}
