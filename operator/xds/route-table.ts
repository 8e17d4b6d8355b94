import { create, toBinary } from '@bufbuild/protobuf';
import { RouteConfigurationSchema } from '../../generated/envoy/envoy/config/route/v3/route_pb.js';
import type { Hostname, OutboundPolicy } from '../mesh/snapshot.ts';
import type { Client } from './clients.ts';
import { type EncodedHosts, encodeHosts } from './encoded-hosts.ts';
import { contentHash, encodeResourceParts } from './encoding.ts';
import { MAX_RESPONSE_BODY } from './http-route-answers.ts';
import { routeConfiguration, UNDELIVERED_HEADER } from './names.ts';
import { ROUTE_TYPE, type XdsResource } from './resource.ts';
import { RouteHosts } from './route-hosts.ts';
import type { VersionLog } from './version-log.ts';
import type { VirtualHostTable } from './virtual-host-table.ts';
import { buildUnknownHost } from './virtual-hosts.ts';

const NOTHING_TAKEN: ReadonlySet<string> = new Set();

interface PortRoutes {
  readonly hosts: Set<Hostname>;
  /** Hostnames in order; undefined when it has to be sorted again. */
  order: readonly Hostname[] | undefined;
  /** By scope, and by namespace where short names of its own resolve on the port. */
  readonly variants: Map<string, Variant>;
}

/** A route configuration as some clients see it. */
interface Variant {
  readonly hosts: RouteHosts;
  resource: XdsResource | undefined;
  /** State of the mesh in which the resource was last given up. */
  staleIn: number;
}

/**
 * Route configurations, put together from the bytes of virtual hosts: one per port, scope and, where it owns a host on the port (so that its short
 * names mean something), namespace.
 */
export class RouteTable {
  private readonly hosts: VirtualHostTable;
  private readonly ownsOnPort: (namespace: string, port: number) => boolean;
  private readonly log: Pick<VersionLog, 'note' | 'state'>;
  private readonly ports = new Map<number, PortRoutes>();
  private readonly portsOf = new Map<Hostname, ReadonlySet<number>>();
  private readonly unknown: Readonly<Record<OutboundPolicy, EncodedHosts>> = {
    ALLOW_ANY: encodeHosts([buildUnknownHost('ALLOW_ANY')]),
    REGISTRY_ONLY: encodeHosts([buildUnknownHost('REGISTRY_ONLY')]),
  };

  /**
   * @param ownsOnPort whether a namespace has a service on a port
   * @param log is told of every version that is made
   */
  constructor(
    hosts: VirtualHostTable,
    ownsOnPort: (namespace: string, port: number) => boolean,
    log: Pick<VersionLog, 'note' | 'state'>,
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
      this.giveUp(routes, hostname);
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
    const known = routes.variants.get(variant) ?? { hosts: new RouteHosts(), resource: undefined, staleIn: 0 };
    routes.variants.set(variant, known);
    if (known.resource === undefined) {
      known.resource = this.assemble(port, routes, known, { scope, namespace: home });
      this.log.note(known.resource.version);
    }
    return known.resource;
  }

  /** Ports with a route configuration. */
  all(): IterableIterator<number> {
    return this.ports.keys();
  }

  /** Forgets what a hostname adds to the route configurations of a port, and these, and those that nobody has asked for since the last time. */
  private giveUp({ variants }: PortRoutes, hostname: Hostname): void {
    const { state } = this.log;
    for (const [key, variant] of variants) {
      if (variant.resource === undefined && variant.staleIn !== state) {
        variants.delete(key);
        continue;
      }
      variant.hosts.forget(hostname);
      variant.resource = undefined;
      variant.staleIn = state;
    }
  }

  private assemble(
    port: number,
    routes: PortRoutes,
    variant: Variant,
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
    const hosts = this.hostsOf(port, routes.order, variant.hosts, { scope, namespace });
    hosts.push(this.unknown[scope.outboundPolicy]);
    // Hashing the hosts' hashes instead of their bytes keeps a change of one host from costing as much as the whole port.
    let hashes = '';
    const parts: Uint8Array[] = [head];
    for (const { hash, fields } of hosts) {
      hashes += `,${hash}`;
      for (const field of fields) parts.push(field);
    }
    return encodeResourceParts(ROUTE_TYPE, name, parts, contentHash(head, hashes));
  }

  private hostsOf(
    port: number,
    order: readonly Hostname[],
    known: RouteHosts,
    { scope, namespace }: Pick<Client, 'scope' | 'namespace'>,
  ): EncodedHosts[] {
    const free = (hostname: Hostname) =>
      known.get(hostname, () => this.hosts.get(scope, hostname, port, namespace, NOTHING_TAKEN));
    const hosts: EncodedHosts[] = [];
    for (const hostname of order) {
      const encoded = free(hostname);
      if (encoded !== undefined) hosts.push(encoded);
    }
    if (!known.contested) return hosts;
    // Two services may claim one address, and ServiceEntries any name. Envoy refuses the whole route configuration for that, so the first has it.
    const taken = new Set<string>();
    return order.flatMap((hostname): readonly EncodedHosts[] => {
      let encoded = free(hostname);
      if (encoded?.domains.some((domain) => taken.has(domain))) {
        encoded = this.hosts.get(scope, hostname, port, namespace, taken);
      }
      for (const domain of encoded?.domains ?? []) taken.add(domain);
      return encoded === undefined || encoded.fields.length === 0 ? [] : [encoded];
    });
  }
}
