import { fromBinary } from '@bufbuild/protobuf';
import { expect } from '@jest/globals';
import { ClusterSchema } from '../../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { HttpConnectionManagerSchema } from '../../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
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
import { ProxyStream } from '../stream.ts';
import type { WorkloadMemory } from '../workload-memory.ts';

/** Routes wait for clusters as long as it takes, so that nothing but an answer brings anything on; responses are small. */
const SETTINGS = { routePatienceMs: 3_600_000, removalDelayMs: 0, responseBytes: 2000 };
const BLANK = {
  nodeId: undefined,
  subscribe: [],
  unsubscribe: [],
  initialVersions: new Map<string, string>(),
  nonce: '',
  error: undefined,
};

/** What Envoy does of what it gets: it asks for endpoints of clusters, for routes of listeners, and once for virtual hosts. */
export class ModelEnvoy {
  readonly held = new Map<string, Map<string, string>>();
  /** What it has asked for by name and heard nothing of: Envoy holds up clusters and listeners for that, at its start all. */
  readonly waiting = new Set<string>();
  private readonly asked = new Map<string, Set<string>>();
  /** Clusters that it is to have though it did not ask for them and not all proxies get them. */
  private ahead = new Set<string>();
  /** Clusters that it asked for on this stream. */
  private readonly usedHere = new Set<string>();
  private inbox: DeltaDiscoveryResponse[] = [];
  private readonly routesOf = new Map<string, readonly string[]>();
  private readonly cache: XdsCache;
  private readonly proxy: ProxyIdentity;
  private readonly memory: WorkloadMemory;
  private stream: ProxyStream;
  private wantsHosts = false;

  constructor(cache: XdsCache, proxy: ProxyIdentity, memory: WorkloadMemory) {
    this.cache = cache;
    this.proxy = proxy;
    this.memory = memory;
    this.stream = this.open();
    cache.onChange((change) => {
      const affected = change.affected(proxy);
      if (affected === undefined) return;
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
    for (const known of [this.held, this.asked, this.routesOf, this.waiting]) known.clear();
    this.wantsHosts = false;
    this.reopen();
    this.begin();
  }

  /** Comes back on another stream, of the same operator or of another, and says what it has. */
  reconnect(): void {
    this.reopen();
    const asked = (typeUrl: string) => this.asked.get(typeUrl) ?? new Set();
    const kept = [...this.of(CLUSTER_TYPE).keys()].filter((name) => !asked(CLUSTER_TYPE).has(name));
    this.ahead = new Set(kept.filter((name) => this.exists(name) && !this.isForAll(name)));
    if (this.of(CLUSTER_TYPE).size === 0) this.ahead = this.remembered();
    for (const typeUrl of [CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, ROUTE_TYPE, VIRTUAL_HOST_TYPE]) {
      const names = [...asked(typeUrl)];
      const isWildcard = typeUrl === CLUSTER_TYPE || typeUrl === LISTENER_TYPE;
      if (names.length === 0 && !isWildcard && !(typeUrl === VIRTUAL_HOST_TYPE && this.wantsHosts)) continue;
      const initialVersions = new Map(this.of(typeUrl));
      this.say({ typeUrl, subscribe: isWildcard && names.length > 0 ? ['*', ...names] : names, initialVersions });
    }
  }

  private open(): ProxyStream {
    const events = {
      write: (bytes: Uint8Array) => this.inbox.push(fromBinary(DeltaDiscoveryResponseSchema, bytes)),
      pushed: () => undefined,
      answered: () => undefined,
    };
    return new ProxyStream(this.proxy, new ResourceRegistry([this.cache]), SETTINGS, events, this.memory);
  }

  private reopen(): void {
    this.stream.close();
    this.inbox = [];
    this.usedHere.clear();
    this.stream = this.open();
  }

  /** As one that has nothing. */
  private begin(): void {
    this.ahead = this.remembered();
    for (const typeUrl of [CLUSTER_TYPE, LISTENER_TYPE]) this.say({ typeUrl });
  }

  private remembered(): Set<string> {
    return new Set(this.memory.ahead(this.proxy, CLUSTER_TYPE).filter((name) => this.exists(name)));
  }

  private exists(cluster: string): boolean {
    return this.cache.lookup(this.proxy, CLUSTER_TYPE, cluster) !== undefined;
  }

  private isForAll(cluster: string): boolean {
    return this.cache.wildcard(this.proxy, CLUSTER_TYPE).has(cluster);
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
    for (const name of [...resources.map((one) => one.name), ...removedResources])
      this.waiting.delete(`${typeUrl} ${name}`);
    for (const { name, version, resource } of resources) {
      // Endpoints come again with their cluster, and a cluster when it is asked for while it is under way.
      const mayComeAgain = typeUrl === ENDPOINT_TYPE || this.usedHere.has(name);
      if (!mayComeAgain) expect({ name, version: held.get(name) }).not.toEqual({ name, version });
      if (resource === undefined) {
        held.delete(name);
        continue;
      }
      if (!this.wants(typeUrl, name)) continue;
      held.set(name, version);
      if (typeUrl === LISTENER_TYPE) this.routesOf.set(name, routesOf(resource.value));
      if (typeUrl === CLUSTER_TYPE && !isEds(resource.value)) this.drop(ENDPOINT_TYPE, name);
      if (typeUrl === CLUSTER_TYPE && isEds(resource.value)) this.ask(ENDPOINT_TYPE, name);
    }
    for (const name of removedResources) {
      held.delete(name);
      if (typeUrl === LISTENER_TYPE) this.routesOf.delete(name);
      if (typeUrl === CLUSTER_TYPE) this.drop(ENDPOINT_TYPE, name);
    }
    this.say({ typeUrl, nonce });
    if (typeUrl === LISTENER_TYPE) this.followListeners();
    if (typeUrl === ROUTE_TYPE && !this.wantsHosts) {
      this.wantsHosts = true;
      this.say({ typeUrl: VIRTUAL_HOST_TYPE });
    }
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
      const ahead = typeUrl === CLUSTER_TYPE ? this.ahead : [];
      for (const name of [...(this.asked.get(typeUrl) ?? []), ...ahead]) {
        const found = cache.lookup(proxy, typeUrl, name);
        if (found !== undefined) entries.push([`${typeUrl} ${name}`, found.version]);
      }
    }
    for (const { name, version } of cache.wildcard(proxy, VIRTUAL_HOST_TYPE).values()) {
      if (this.of(ROUTE_TYPE).has(name.slice(0, name.lastIndexOf('/'))))
        entries.push([`${VIRTUAL_HOST_TYPE} ${name}`, version]);
    }
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
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
    const hosts = this.of(VIRTUAL_HOST_TYPE);
    if (typeUrl === ROUTE_TYPE) for (const host of hosts.keys()) if (routeOf(host) === name) hosts.delete(host);
    this.say({ typeUrl, unsubscribe: [name] });
  }

  private followListeners(): void {
    const wanted = new Set([...this.routesOf.values()].flat());
    for (const name of wanted) this.ask(ROUTE_TYPE, name);
    for (const name of this.asked.get(ROUTE_TYPE) ?? []) if (!wanted.has(name)) this.drop(ROUTE_TYPE, name);
  }

  private say(request: Partial<DeltaRequest> & Pick<DeltaRequest, 'typeUrl'>): void {
    this.stream.receive({ ...BLANK, ...request });
  }
}

const routeOf = (host: string): string => host.slice(0, host.lastIndexOf('/'));

const isEds = (bytes: Uint8Array): boolean => fromBinary(ClusterSchema, bytes).edsClusterConfig !== undefined;

function routesOf(bytes: Uint8Array): string[] {
  const { filterChains, defaultFilterChain } = fromBinary(ListenerSchema, bytes);
  const names: string[] = [];
  for (const { filters } of [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])]) {
    for (const { configType } of filters) {
      if (configType.case !== 'typedConfig' || !configType.value.typeUrl.endsWith('HttpConnectionManager')) continue;
      const { routeSpecifier } = fromBinary(HttpConnectionManagerSchema, configType.value.value);
      if (routeSpecifier.case === 'rds') names.push(routeSpecifier.value.routeConfigName);
    }
  }
  return names;
}
