import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ClusterSchema } from '../../generated/envoy/envoy/config/cluster/v3/cluster_pb.js';
import { ListenerSchema } from '../../generated/envoy/envoy/config/listener/v3/listener_pb.js';
import { HttpConnectionManagerSchema } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import {
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
} from '../../generated/envoy/envoy/service/discovery/v3/discovery_pb.js';
import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  LISTENER_TYPE,
  type ProxyIdentity,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
} from '../xds/resource.ts';
import { deltaBetween } from '../xds/testing/mesh-fixture.ts';
import { applyEdits, batches, PROXIES, snapshots } from '../xds/testing/world-edits.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import type { DeltaRequest } from './request.ts';
import { ResourceRegistry } from './resource-registry.ts';
import { ProxyStream } from './stream.ts';

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
class ModelEnvoy {
  readonly held = new Map<string, Map<string, string>>();
  /** What it has asked for by name and heard nothing of: Envoy holds up clusters and listeners for that, at its start all. */
  readonly waiting = new Set<string>();
  private readonly asked = new Map<string, Set<string>>();
  private readonly inbox: DeltaDiscoveryResponse[] = [];
  private readonly routesOf = new Map<string, readonly string[]>();
  private readonly stream: ProxyStream;
  private wantsHosts = false;

  constructor(cache: XdsCache, proxy: ProxyIdentity) {
    this.stream = new ProxyStream(proxy, new ResourceRegistry([cache]), SETTINGS, {
      write: (bytes) => this.inbox.push(fromBinary(DeltaDiscoveryResponseSchema, bytes)),
      pushed: () => undefined,
      answered: () => undefined,
    });
    cache.onChange((change) => {
      const affected = change.affected(proxy);
      if (affected === undefined) return;
      this.stream.mark(affected);
      this.stream.pump();
    });
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
    for (const name of [...resources.map((one) => one.name), ...removedResources])
      this.waiting.delete(`${typeUrl} ${name}`);
    for (const { name, version, resource } of resources) {
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
  wanted(cache: XdsCache, proxy: ProxyIdentity): Record<string, string> {
    const entries: [string, string][] = [];
    for (const typeUrl of [CLUSTER_TYPE, LISTENER_TYPE]) {
      for (const { name, version } of cache.wildcard(proxy, typeUrl).values())
        entries.push([`${typeUrl} ${name}`, version]);
    }
    for (const typeUrl of [ENDPOINT_TYPE, ROUTE_TYPE]) {
      for (const name of this.asked.get(typeUrl) ?? []) {
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

test('every proxy ends with exactly what the mesh has for it, whatever it was at when that changed', () => {
  const step = fc.record({ batch: batches, answers: fc.tuple(...PROXIES.map(() => fc.nat({ max: 8 }))) });
  fc.assert(
    fc.property(snapshots, fc.array(step, { minLength: 1, maxLength: 8, size: 'max' }), (start, steps) => {
      const cache = new XdsCache();
      cache.update(start, deltaBetween(undefined, start));
      const proxies = PROXIES.map((proxy) => ({ proxy, envoy: new ModelEnvoy(cache, proxy) }));
      let mesh = start;
      for (const { batch, answers } of steps) {
        for (const [index, { envoy }] of proxies.entries())
          for (let n = answers[index] ?? 0; n > 0; n--) envoy.answer();
        const next = applyEdits(mesh, batch);
        cache.update(next, deltaBetween(mesh, next));
        mesh = next;
      }
      for (const { proxy, envoy } of proxies) {
        for (let rounds = 0; envoy.waits; rounds++) {
          expect(rounds).toBeLessThan(5000);
          envoy.answer();
        }
        expect(envoy.content()).toEqual(envoy.wanted(cache, proxy));
        expect([...envoy.waiting]).toEqual([]);
      }
    }),
    { numRuns: 60 },
  );
});
