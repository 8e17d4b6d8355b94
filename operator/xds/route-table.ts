import { KeySets } from '../mesh/key-sets.ts';
import type { Hostname, MeshService, OutboundPolicy } from '../mesh/snapshot.ts';
import { AskedHosts } from './asked-hosts.ts';
import type { Client } from './clients.ts';
import { DomainClaims } from './domain-claims.ts';
import { encodeVirtualHost } from './encoded-hosts.ts';
import { type HostPart, readVirtualHost, routeConfiguration, unknownHost, virtualHost } from './names.ts';
import { ROUTE_TYPE, VIRTUAL_HOST_TYPE, type XdsResource } from './resource.ts';
import { encodeRouteConfiguration } from './route-configuration.ts';
import type { Scope } from './scope.ts';
import type { VirtualHostTable } from './virtual-host-table.ts';
import { buildUnknownHost, mayNamePods } from './virtual-hosts.ts';

/** Domain of hosts that nobody knows; routes for every host may have it, too. */
const ANY = '*';
const WHOLE: readonly HostPart[] = ['host'];
const WITH_PODS: readonly HostPart[] = ['host', 'pods'];

interface PortRoutes {
  readonly configuration: XdsResource;
  readonly unknown: Readonly<Record<OutboundPolicy, XdsResource>>;
}

/** What somebody may have for a hostname. */
interface HostRoutes {
  readonly ports: ReadonlySet<number>;
  readonly parts: readonly HostPart[];
  readonly services: readonly MeshService[];
}

/** A virtual host as clients of one scope see it; null: they don't. */
interface Found {
  /** Namespace of the service, in which it has one more name; undefined: they see none. */
  readonly owner: string | undefined;
  home: XdsResource | null | undefined;
  foreign: XdsResource | null | undefined;
}

const NOWHERE: HostRoutes = { ports: new Set(), parts: WHOLE, services: [] };

/** Route configurations, one per port, and their virtual hosts, which are told and sent one by one. */
export class RouteTable {
  private readonly hosts: VirtualHostTable;
  private readonly claims = new DomainClaims();
  private readonly ports = new Map<number, PortRoutes>();
  private readonly hostsOn = new KeySets<number, Hostname>();
  private readonly routesOf = new Map<Hostname, HostRoutes>();
  /** Names of all virtual hosts on a port that was asked for: each proxy that comes is sent them all. */
  private readonly namesOn = new Map<number, readonly string[]>();
  /** What was asked for, by scope and name: thousands of proxies ask for each. */
  private readonly found = new Map<Scope, Map<string, Found>>();
  /** What becomes of authorities that proxies ask for one by one. */
  readonly asked: AskedHosts;

  private readonly isSeenByRules: () => boolean;

  /** @param isSeenByRules whether clients may see services, or not, because of the rules of others */
  constructor(hosts: VirtualHostTable, isSeenByRules: () => boolean) {
    this.hosts = hosts;
    this.isSeenByRules = isSeenByRules;
    this.asked = new AskedHosts({
      claims: this.claims,
      onPort: (port) => (this.ports.has(port) ? this.hostsOn.get(port) : undefined),
      resolve: (port, hostname, client) => this.resolve(port, hostname, client),
    });
  }

  /**
   * Takes in that something of a hostname differs.
   * @param ports on which somebody may have routes for it now
   * @param services all that claim it
   * @param tell is called with the resources that may differ
   */
  set(
    hostname: Hostname,
    ports: ReadonlySet<number>,
    services: readonly MeshService[],
    tell: (typeUrl: string, name: string) => void,
  ): void {
    const before = this.routesOf.get(hostname) ?? NOWHERE;
    const after = { ports, parts: services.some(mayNamePods) ? WITH_PODS : WHOLE, services };
    if (ports.size > 0) this.routesOf.set(hostname, after);
    else this.routesOf.delete(hostname);
    for (const port of [...before.ports, ...ports]) {
      if (before.parts !== after.parts || before.ports.has(port) !== ports.has(port)) this.namesOn.delete(port);
    }
    this.hosts.forget(hostname);
    if (this.isSeenByRules() || !haveSameDomains(before, after)) this.asked.forget();
    for (const { ports, parts } of [before, after]) {
      for (const port of ports) for (const part of parts) this.tellOne(virtualHost(port, hostname, part), tell);
    }
    for (const port of before.ports) if (!ports.has(port)) this.leave(port, hostname, tell);
    for (const port of ports) if (!before.ports.has(port)) this.enter(port, hostname, tell);
    for (const rival of this.claims.set(hostname, services, ports.size > 0)) this.tellAll(rival, tell);
    if (hostname === ANY) for (const port of [...before.ports, ...ports]) tell(VIRTUAL_HOST_TYPE, unknownHost(port));
  }

  /** Forgets what it was asked; to be called when clients are sorted into scopes anew. */
  regroup(): void {
    this.found.clear();
    this.asked.forget();
  }

  /** The route configuration of a port; undefined when nobody has HTTP there. */
  configuration(port: number): XdsResource | undefined {
    return this.ports.get(port)?.configuration;
  }

  /** A virtual host as a client sees it; undefined when it does not. */
  host(name: string, client: Client): XdsResource | undefined {
    const memo = this.found.get(client.scope)?.get(name);
    const known = memo && (memo.owner === client.namespace ? memo.home : memo.foreign);
    return known === undefined ? this.find(name, client) : (known ?? undefined);
  }

  private find(name: string, client: Client): XdsResource | undefined {
    const read = readVirtualHost(name);
    const routes = read && this.ports.get(read.port);
    if (read === undefined || routes === undefined) return undefined;
    const { port, hostname, part } = read;
    if (part === 'unknown') {
      const isTaken = hostname !== ANY || this.hosts.get(client.scope, ANY, port, client.namespace) !== undefined;
      return isTaken ? undefined : routes.unknown[client.scope.outboundPolicy];
    }
    if (part === 'asked') return this.asked.unknown(port, hostname, client);
    if (!this.hostsOn.get(port).has(hostname)) return undefined;
    const resource = this.resolve(port, hostname, client)?.resources.find((one) => one.name === name);
    // Of a host whose domains others have, too, more than that host decides.
    if (!this.claims.isContested(hostname)) this.remember(name, hostname, client, resource);
    return resource;
  }

  private remember(name: string, hostname: Hostname, { scope, namespace }: Client, resource: XdsResource | undefined) {
    const known = this.found.get(scope) ?? new Map<string, Found>();
    this.found.set(scope, known);
    const owner = scope.service(hostname)?.namespace;
    const memo = known.get(name) ?? { owner, home: undefined, foreign: undefined };
    known.set(name, memo);
    if (memo.owner === namespace) memo.home = resource ?? null;
    else memo.foreign = resource ?? null;
  }

  /** Names of all virtual hosts that anybody may have on a port. */
  names(port: number): readonly string[] {
    if (!this.ports.has(port)) return [];
    const known = this.namesOn.get(port);
    if (known !== undefined) return known;
    const names = [unknownHost(port)];
    for (const hostname of this.hostsOn.get(port)) names.push(...this.namesOf(port, hostname));
    this.namesOn.set(port, names);
    return names;
  }

  /** Names of the virtual hosts that anybody may have of a hostname on a port. */
  *namesOf(port: number, hostname: Hostname): Generator<string> {
    for (const part of this.routesOf.get(hostname)?.parts ?? WHOLE) yield virtualHost(port, hostname, part);
  }

  /** Ports with a route configuration. */
  all(): IterableIterator<number> {
    return this.ports.keys();
  }

  /** The virtual hosts of a hostname, without domains that hostnames before it have for the client. */
  private resolve(port: number, hostname: Hostname, { scope, namespace }: Client) {
    const free = this.hosts.get(scope, hostname, port, namespace);
    if (!this.claims.isContested(hostname)) return free;
    let taken: Set<string> | undefined;
    for (const domain of free?.domains ?? []) {
      for (const rival of this.claims.of(domain, namespace)) {
        if (rival >= hostname || !this.hostsOn.get(port).has(rival)) continue;
        if (this.hosts.get(scope, rival, port, namespace)?.domains.includes(domain) !== true) continue;
        taken ??= new Set();
        taken.add(domain);
      }
    }
    return taken === undefined ? free : this.hosts.get(scope, hostname, port, namespace, taken);
  }

  private tellAll(hostname: Hostname, tell: (typeUrl: string, name: string) => void): void {
    for (const port of this.routesOf.get(hostname)?.ports ?? []) {
      for (const name of this.namesOf(port, hostname)) this.tellOne(name, tell);
    }
  }

  private tellOne(name: string, tell: (typeUrl: string, name: string) => void): void {
    for (const known of this.found.values()) known.delete(name);
    tell(VIRTUAL_HOST_TYPE, name);
  }

  private enter(port: number, hostname: Hostname, tell: (typeUrl: string, name: string) => void): void {
    this.hostsOn.add(port, hostname);
    if (this.ports.has(port)) return;
    const unknown = (policy: OutboundPolicy) => encodeVirtualHost(buildUnknownHost(unknownHost(port), policy));
    this.ports.set(port, {
      configuration: encodeRouteConfiguration(port),
      unknown: { ALLOW_ANY: unknown('ALLOW_ANY'), REGISTRY_ONLY: unknown('REGISTRY_ONLY') },
    });
    tell(ROUTE_TYPE, routeConfiguration(port));
    tell(VIRTUAL_HOST_TYPE, unknownHost(port));
  }

  private leave(port: number, hostname: Hostname, tell: (typeUrl: string, name: string) => void): void {
    this.hostsOn.delete(port, hostname);
    if (this.hostsOn.get(port).size > 0) return;
    this.ports.delete(port);
    tell(ROUTE_TYPE, routeConfiguration(port));
    tell(VIRTUAL_HOST_TYPE, unknownHost(port));
  }
}

/** Whether whoever saw a host with some domains on some port still does. Where there are rules alone, these decide. */
function haveSameDomains(before: HostRoutes, after: HostRoutes): boolean {
  if (after.services.length === 0 || before.services.length !== after.services.length) return false;
  if (after.services.some((service, index) => service !== before.services[index])) return false;
  return before.ports.size === after.ports.size && [...after.ports].every((port) => before.ports.has(port));
}
