import { create, toBinary } from '@bufbuild/protobuf';
import { VirtualHostSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { RouteConfigurationSchema } from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import type { Hostname, OutboundPolicy } from '../mesh/snapshot.ts';
import type { Client } from './clients.ts';
import { contentHash, encodeField, encodeResourceParts } from './encoding.ts';
import { MAX_RESPONSE_BODY } from './http-route-answers.ts';
import { routeConfiguration, UNDELIVERED_HEADER } from './names.ts';
import { ROUTE_TYPE, type XdsResource } from './resource.ts';
import type { VersionLog } from './version-log.ts';
import type { EncodedHosts, VirtualHostTable } from './virtual-host-table.ts';
import { buildUnknownHost } from './virtual-hosts.ts';

/** Field number of `RouteConfiguration.virtual_hosts`. */
const VIRTUAL_HOSTS_FIELD = 2;

interface PortRoutes {
  readonly hosts: Set<Hostname>;
  /** Hostnames in order; undefined when it has to be sorted again. */
  order: readonly Hostname[] | undefined;
  /** By scope, and by namespace where short names of its own resolve on the port. */
  readonly variants: Map<string, XdsResource | undefined>;
}

/**
 * Route configurations, put together from the bytes of virtual hosts: one per port, scope and, where it owns a host on the port (so that its short
 * names mean something), namespace.
 */
export class RouteTable {
  private readonly hosts: VirtualHostTable;
  private readonly ownsOnPort: (namespace: string, port: number) => boolean;
  private readonly log: Pick<VersionLog, 'note'>;
  private readonly ports = new Map<number, PortRoutes>();
  private readonly portsOf = new Map<Hostname, ReadonlySet<number>>();
  private readonly unknown: Readonly<Record<OutboundPolicy, EncodedHosts>> = {
    ALLOW_ANY: encodeUnknown('ALLOW_ANY'),
    REGISTRY_ONLY: encodeUnknown('REGISTRY_ONLY'),
  };

  /**
   * @param ownsOnPort whether a namespace has a service on a port
   * @param log is told of every version that is made
   */
  constructor(
    hosts: VirtualHostTable,
    ownsOnPort: (namespace: string, port: number) => boolean,
    log: Pick<VersionLog, 'note'>,
  ) {
    this.log = log;
    this.hosts = hosts;
    this.ownsOnPort = ownsOnPort;
  }

  /**
   * Takes in that something of a hostname differs.
   * @param ports on which somebody may have routes for it now
   * @returns the ports whose route configurations may differ
   */
  set(hostname: Hostname, ports: ReadonlySet<number>): Set<number> {
    const before = this.portsOf.get(hostname) ?? new Set<number>();
    if (ports.size > 0) this.portsOf.set(hostname, ports);
    else this.portsOf.delete(hostname);
    this.hosts.forget(hostname);
    const touched = new Set([...before, ...ports]);
    for (const port of touched) {
      const routes = this.ports.get(port) ?? { hosts: new Set(), order: undefined, variants: new Map() };
      this.ports.set(port, routes);
      routes.variants.clear();
      if (before.has(port) !== ports.has(port)) routes.order = undefined;
      if (ports.has(port)) routes.hosts.add(hostname);
      else routes.hosts.delete(hostname);
      if (routes.hosts.size === 0) this.ports.delete(port);
    }
    return touched;
  }

  /** Forgets what was put together; to be called when clients are sorted into scopes anew. */
  regroup(): void {
    for (const { variants } of this.ports.values()) variants.clear();
  }

  /** The route configuration of the port as a client sees it; undefined when nobody has HTTP there. */
  get(port: number, { scope, namespace }: Client): XdsResource | undefined {
    const routes = this.ports.get(port);
    if (routes === undefined) return undefined;
    const home = this.ownsOnPort(namespace, port) ? namespace : '';
    const variant = `${home} ${scope.key}`;
    const known = routes.variants.get(variant);
    if (known !== undefined) return known;
    const built = this.assemble(port, routes, { scope, namespace: home });
    routes.variants.set(variant, built);
    this.log.note(built.version);
    return built;
  }

  /** Ports with a route configuration. */
  all(): IterableIterator<number> {
    return this.ports.keys();
  }

  private assemble(
    port: number,
    routes: PortRoutes,
    { scope, namespace }: Pick<Client, 'scope' | 'namespace'>,
  ): XdsResource {
    routes.order ??= [...routes.hosts].sort();
    const name = routeConfiguration(port);
    const head = toBinary(
      RouteConfigurationSchema,
      create(RouteConfigurationSchema, {
        name,
        validateClusters: false,
        ignorePortInHostMatching: true,
        responseHeadersToRemove: [UNDELIVERED_HEADER],
        // Envoy's own limit is 4 KiB, and it refuses the whole for one larger answer.
        maxDirectResponseBodySizeBytes: MAX_RESPONSE_BODY,
      }),
    );
    const hosts: EncodedHosts[] = [];
    // Two services may claim one address, and ServiceEntries any name. Envoy refuses the whole route configuration for that, so the first has it.
    const taken = new Set<string>();
    for (const hostname of routes.order) {
      const encoded = this.hosts.get(scope, hostname, port, namespace, taken);
      if (encoded === undefined || encoded.fields.length === 0) continue;
      hosts.push(encoded);
      for (const domain of encoded.domains) taken.add(domain);
    }
    hosts.push(this.unknown[scope.outboundPolicy]);
    // Hashing the hosts' hashes instead of their bytes keeps a change of one host from costing as much as the whole port.
    const version = contentHash(head, hosts.map((host) => host.hash).join());
    return encodeResourceParts(ROUTE_TYPE, name, [head, ...hosts.flatMap((host) => host.fields)], version);
  }
}

function encodeUnknown(policy: OutboundPolicy): EncodedHosts {
  const host = toBinary(VirtualHostSchema, buildUnknownHost(policy));
  return { fields: [encodeField(VIRTUAL_HOSTS_FIELD, host)], hash: contentHash(host), domains: ['*'] };
}
