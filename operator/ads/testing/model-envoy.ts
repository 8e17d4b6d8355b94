import { fromBinary } from '@bufbuild/protobuf';
import { expect } from '@jest/globals';
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from '../../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../../xds/resource.ts';
import type { XdsCache } from '../../xds/xds-cache.ts';
import type { DeltaRequest } from '../request.ts';
import { ResourceRegistry } from '../resource-registry.ts';
import type { ResponseMessage } from '../response.ts';
import { ProxyStream } from '../stream.ts';
import type { WorkloadMemory } from '../workload-memory.ts';
import { BLANK_REQUEST } from './blank-request.ts';
import { ModelClusters } from './model-clusters.ts';
import { checkDomains, domainsIn, domainsOfResource, isEds, routeOf, routesOf } from './resource-content.ts';
import { hostFor } from './virtual-host-match.ts';
import { wholeMessage } from './whole-message.ts';

/** Routes wait for clusters as long as it takes, so that nothing but an answer brings anything on; responses are small. */
const SETTINGS = { routePatienceMs: 3_600_000, removalDelayMs: 0, responseBytes: 2000 };

/**
 * What Envoy does of what it gets: it asks for endpoints of clusters, for routes of listeners, and once for virtual hosts; with these on demand, also for
 * each authority that it has none for, but not twice.
 */
export class ModelEnvoy {
  readonly held = new Map<string, Map<string, string>>();
  /** What it has asked for by name and heard nothing of: Envoy holds up clusters and listeners for that, at its start all. */
  readonly waiting = new Set<string>();
  private readonly asked = new Map<string, Set<string>>();
  private readonly clusters: ModelClusters;
  /** Virtual hosts whose route configuration came again: Envoy may have thrown them away. */
  private readonly doubtful = new Set<string>();
  /** Clusters that it asked for on this stream. */
  private readonly usedHere = new Set<string>();
  private inbox: DeltaDiscoveryResponse[] = [];
  private readonly routesOf = new Map<string, readonly string[]>();
  private readonly cache: XdsCache;
  private readonly proxy: ProxyIdentity;
  private readonly memory: WorkloadMemory;
  private stream: ProxyStream;
  private wantsHosts = false;
  /** Whether it is to have all virtual hosts, as it was sent all at some time. */
  private hasAll = false;
  private readonly domainsOf = new Map<string, readonly string[]>();
  private readonly authorities = new Set<string>();

  constructor(cache: XdsCache, proxy: ProxyIdentity, memory: WorkloadMemory) {
    this.cache = cache;
    this.proxy = proxy;
    this.memory = memory;
    this.clusters = new ModelClusters(cache, proxy, memory, () => this.asked.get(CLUSTER_TYPE) ?? []);
    this.stream = this.open();
    this.clusters.begin([]);
    cache.onChange((change) => {
      const affected = change.affected(proxy);
      this.look();
      if (affected === undefined) return;
      this.clusters.follow();
      this.stream.mark(affected);
      this.stream.pump();
    });
    this.begin();
  }

  /** A request goes to a cluster: one that it does not have it asks for. */
  use(name: string): void {
    if (this.of(CLUSTER_TYPE).has(name)) return;
    this.usedHere.add(name);
    this.ask(CLUSTER_TYPE, name);
  }

  /** The pod's successor: another Envoy, which has nothing. */
  restart(): void {
    for (const known of [this.held, this.asked, this.routesOf, this.waiting, this.authorities]) known.clear();
    this.wantsHosts = false;
    this.reopen();
    this.begin();
  }

  /** Comes back on another stream, of the same operator or of another, and says what it has. */
  reconnect(): void {
    this.reopen();
    const asked = (typeUrl: string) => this.asked.get(typeUrl) ?? new Set();
    const hasUnknown = [...this.of(VIRTUAL_HOST_TYPE).keys()].some((name) => name.endsWith('|unknown'));
    this.hasAll = hasUnknown || !this.cache.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE);
    this.look();
    for (const typeUrl of [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE]) {
      const names = [...asked(typeUrl)];
      const isWildcard = typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE;
      if (names.length === 0 && !isWildcard && !(typeUrl === VIRTUAL_HOST_TYPE && this.wantsHosts)) continue;
      const initialVersions = new Map(this.of(typeUrl));
      if (typeUrl === VIRTUAL_HOST_TYPE && this.authorities.size > 0) names.push('*', ...this.authorities);
      this.say({ typeUrl, subscribe: isWildcard && names.length > 0 ? ['*', ...names] : names, initialVersions });
    }
  }

  private open(): ProxyStream {
    const events = {
      write: (message: ResponseMessage) => {
        const response = fromBinary(DeltaDiscoveryResponseSchema, wholeMessage(message));
        if (response.typeUrl === CLUSTER_TYPE) this.clusters.take(response);
        this.inbox.push(response);
      },
      pushed: () => undefined,
      answered: () => undefined,
    };
    return new ProxyStream(this.proxy, new ResourceRegistry([this.cache]), SETTINGS, events, this.memory);
  }

  private reopen(): void {
    this.stream.close();
    this.inbox = [];
    this.usedHere.clear();
    this.clusters.begin([...this.of(CLUSTER_TYPE).keys()]);
    this.stream = this.open();
  }

  private begin(): void {
    for (const typeUrl of [CLUSTER_TYPE, LISTENER_TYPE]) this.say({ typeUrl });
  }

  get waits(): boolean {
    return this.inbox.length > 0;
  }

  /** Takes the oldest response and acknowledges it. */
  answer(): void {
    const response = this.inbox.shift();
    if (response === undefined) return;
    const { typeUrl, nonce, resources, removedResources } = response;
    const held = this.of(typeUrl);
    for (const name of [...resources.flatMap((one) => [one.name, ...one.aliases]), ...removedResources])
      this.waiting.delete(`${typeUrl} ${name}`);
    for (const { name, version, resource } of resources) {
      // Endpoints come again with their cluster, and a cluster when it is asked for while it is under way.
      const mayComeAgain = typeUrl === ENDPOINT_TYPE || this.usedHere.has(name) || this.doubtful.delete(name);
      if (!mayComeAgain) expect({ name, version: held.get(name) }).not.toEqual({ name, version });
      if (resource === undefined) {
        held.delete(name);
        continue;
      }
      if (!this.wants(typeUrl, name)) continue;
      held.set(name, version);
      if (typeUrl === VIRTUAL_HOST_TYPE) this.domainsOf.set(name, domainsIn(resource.value));
      if (typeUrl === LISTENER_TYPE) this.routesOf.set(name, routesOf(resource.value));
      if (typeUrl === ROUTE_TYPE) for (const host of this.hostsIn(name)) this.doubtful.add(host);
      if (typeUrl === CLUSTER_TYPE && !isEds(resource.value)) this.drop(ENDPOINT_TYPE, name);
      if (typeUrl === CLUSTER_TYPE && isEds(resource.value)) this.ask(ENDPOINT_TYPE, name);
    }
    for (const name of removedResources) {
      held.delete(name);
      if (typeUrl === LISTENER_TYPE) this.routesOf.delete(name);
      if (typeUrl === CLUSTER_TYPE) this.drop(ENDPOINT_TYPE, name);
    }
    if (typeUrl === VIRTUAL_HOST_TYPE) checkDomains(held.keys(), this.domainsOf);
    this.say({ typeUrl, nonce });
    if (typeUrl === LISTENER_TYPE) this.followListeners();
    if (typeUrl === ROUTE_TYPE && !this.wantsHosts) {
      this.wantsHosts = true;
      this.hasAll = !this.cache.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE);
      this.say({ typeUrl: VIRTUAL_HOST_TYPE });
    }
  }

  /** A request for an authority on a port comes. */
  request(port: string, authority: string): void {
    const asked = `${port}/${authority}`;
    if (!this.of(ROUTE_TYPE).has(port) || !this.wantsHosts || this.hasAll) return;
    if (this.authorities.has(asked) || this.hostOf(port, authority) !== undefined) return;
    this.authorities.add(asked);
    this.waiting.add(`${VIRTUAL_HOST_TYPE} ${asked}`);
    this.say({ typeUrl: VIRTUAL_HOST_TYPE, subscribe: [asked] });
    this.look();
  }

  /** The virtual host that a request for an authority gets; undefined: none. */
  hostOf(port: string, authority: string): string | undefined {
    return hostFor(authority, new Map(this.hostsIn(port).map((name) => [name, this.domainsOf.get(name) ?? []])));
  }

  private hostsIn(route: string): string[] {
    return [...this.of(VIRTUAL_HOST_TYPE).keys()].filter((name) => routeOf(name) === route);
  }

  /** The same where the proxy had all that there is for it; that of unknown hosts may be for one alone. */
  hostWanted(port: string, authority: string): string | undefined {
    const all = [...this.cache.wildcard(this.proxy, VIRTUAL_HOST_TYPE).values()];
    const hosts = all.filter(({ name }) => routeOf(name) === port);
    const found = hostFor(authority, new Map(hosts.map((one) => [one.name, domainsOfResource(one.bytes)])));
    return found?.endsWith('|unknown') && !this.hasAll ? `${port}/${authority.replace(/:\d+$/, '')}|asked` : found;
  }

  get routes(): Iterable<string> {
    return this.of(ROUTE_TYPE).keys();
  }

  /** What it has put to use, as `TYPE NAME` → version. */
  content(): Record<string, string> {
    const entries = [...this.held].flatMap(([typeUrl, versions]) =>
      [...versions].map(([name, version]) => [`${typeUrl} ${name}`, version] as const),
    );
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** What it is to have of a cache. */
  wanted(): Record<string, string> {
    const { cache, proxy } = this;
    const entries: [string, string][] = [];
    for (const typeUrl of [CLUSTER_TYPE, LISTENER_TYPE]) {
      for (const { name, version } of cache.wildcard(proxy, typeUrl).values())
        entries.push([`${typeUrl} ${name}`, version]);
    }
    for (const typeUrl of [CLUSTER_TYPE, ENDPOINT_TYPE, ROUTE_TYPE]) {
      const ahead = typeUrl === CLUSTER_TYPE ? this.clusters.ahead : [];
      for (const name of [...(this.asked.get(typeUrl) ?? []), ...ahead]) {
        const found = cache.lookup(proxy, typeUrl, name);
        if (found !== undefined) entries.push([`${typeUrl} ${name}`, found.version]);
      }
    }
    const hosts = this.hasAll ? cache.wildcard(proxy, VIRTUAL_HOST_TYPE).keys() : this.of(VIRTUAL_HOST_TYPE).keys();
    for (const name of hosts) {
      const found = this.of(ROUTE_TYPE).has(routeOf(name)) ? cache.lookup(proxy, VIRTUAL_HOST_TYPE, name) : undefined;
      if (found !== undefined) entries.push([`${VIRTUAL_HOST_TYPE} ${name}`, found.version]);
    }
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** One that is no longer to ask, or that asked for a host which is for all, is sent all from then on. */
  private look(): void {
    if (!this.wantsHosts) return;
    const isForAll = (asked: string) => this.cache.answer(this.proxy, VIRTUAL_HOST_TYPE, asked)?.kind === 'all';
    this.hasAll ||= !this.cache.isOneByOne(this.proxy, VIRTUAL_HOST_TYPE) || [...this.authorities].some(isForAll);
  }

  /** Envoy ignores what it no longer asks for, and virtual hosts of route configurations that it does not have. */
  private wants(typeUrl: string, name: string): boolean {
    if (typeUrl === VIRTUAL_HOST_TYPE) return this.of(ROUTE_TYPE).has(routeOf(name));
    return typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE || this.asked.get(typeUrl)?.has(name) === true;
  }

  private of(typeUrl: string): Map<string, string> {
    const held = this.held.get(typeUrl) ?? new Map<string, string>();
    this.held.set(typeUrl, held);
    return held;
  }

  private ask(typeUrl: string, name: string): void {
    const asked = this.asked.get(typeUrl) ?? new Set();
    this.asked.set(typeUrl, asked);
    if (asked.has(name)) return;
    asked.add(name);
    this.waiting.add(`${typeUrl} ${name}`);
    this.say({ typeUrl, subscribe: [name] });
  }

  private drop(typeUrl: string, name: string): void {
    if (this.asked.get(typeUrl)?.delete(name) !== true) return;
    this.waiting.delete(`${typeUrl} ${name}`);
    this.of(typeUrl).delete(name);
    if (typeUrl === ROUTE_TYPE) this.dropHosts(name);
    this.say({ typeUrl, unsubscribe: [name] });
  }

  private dropHosts(route: string): void {
    const isOf = (name: string) => routeOf(name) === route;
    // With its last listener go the requests that wait.
    for (const host of [...this.of(VIRTUAL_HOST_TYPE).keys()].filter(isOf)) this.of(VIRTUAL_HOST_TYPE).delete(host);
    for (const asked of [...this.authorities].filter(isOf)) this.waiting.delete(`${VIRTUAL_HOST_TYPE} ${asked}`);
  }

  private followListeners(): void {
    const wanted = new Set([...this.routesOf.values()].flat());
    for (const name of wanted) this.ask(ROUTE_TYPE, name);
    for (const name of this.asked.get(ROUTE_TYPE) ?? []) if (!wanted.has(name)) this.drop(ROUTE_TYPE, name);
  }

  private say(request: Partial<DeltaRequest> & Pick<DeltaRequest, 'typeUrl'>): void {
    this.stream.receive({ ...BLANK_REQUEST, ...request });
  }
}
