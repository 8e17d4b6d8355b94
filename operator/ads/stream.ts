import {
  CLUSTER_TYPE,
  ENDPOINT_TYPE,
  type ProxyIdentity,
  ROUTE_TYPE,
  VIRTUAL_HOST_TYPE,
  type XdsResource,
} from '../xds/resource.ts';
import { Alarm } from './alarm.ts';
import { ClusterGate } from './cluster-gate.ts';
import { ClustersAhead } from './clusters-ahead.ts';
import { HostDemand } from './host-demand.ts';
import { NamesAhead } from './names-ahead.ts';
import type { Pending } from './pending.ts';
import { RemovalGate } from './removal-gate.ts';
import type { DeltaRequest } from './request.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import { encodeAbsentResource, ResponseMessage } from './response.ts';
import { chooseResources, type Part } from './response-choice.ts';
import { RouteFollowing } from './route-following.ts';
import { ORDERED, ROUTING } from './sending-order.ts';
import { shareNames } from './shared-names.ts';
import { StartingClusters } from './starting-clusters.ts';
import type { StreamEvents, StreamSettings } from './stream-settings.ts';
import { Subscription } from './subscription.ts';
import type { WorkloadMemory } from './workload-memory.ts';

const NOTHING_HELD: ReadonlyMap<string, string> = new Map();

/** The state of one proxy's delta ADS stream. It knows nothing of gRPC. */
export class ProxyStream {
  readonly proxy: ProxyIdentity;
  private readonly registry: ResourceRegistry;
  private readonly settings: StreamSettings;
  private readonly events: StreamEvents;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly gate: ClusterGate;
  private readonly starting = new StartingClusters();
  private readonly ahead: NamesAhead;
  private readonly clustersAhead: ClustersAhead;
  private readonly following = new RouteFollowing();
  private readonly hosts = new Subscription(VIRTUAL_HOST_TYPE);
  private readonly demand: HostDemand;
  private nonce = 0;
  private closed = false;
  private readonly alarm = new Alarm(() => this.pump());
  private readonly removals: RemovalGate;

  /** @param memory what workloads use; absent: nothing is sent ahead */
  constructor(
    proxy: ProxyIdentity,
    registry: ResourceRegistry,
    settings: StreamSettings,
    events: StreamEvents,
    memory?: WorkloadMemory,
  ) {
    this.proxy = proxy;
    this.registry = registry;
    this.settings = settings;
    this.events = events;
    this.ahead = new NamesAhead(proxy, registry, memory);
    this.clustersAhead = new ClustersAhead(proxy, registry, this.ahead);
    this.demand = new HostDemand(proxy, registry, this.hosts, this.ahead);
    this.removals = new RemovalGate(settings.removalDelayMs);
    this.gate = new ClusterGate((cluster) => registry.lookup(proxy, ENDPOINT_TYPE, cluster) !== undefined);
  }

  /** Takes a request: the answer to a response in flight, a change of subscription, or both. */
  receive(received: DeltaRequest): void {
    const known = this.subscriptions.get(received.typeUrl);
    // What a proxy holds it says in its first request.
    const said = known === undefined ? received : { ...received, initialVersions: NOTHING_HELD };
    const isHosts = received.typeUrl === VIRTUAL_HOST_TYPE;
    const subscription =
      known ?? (isHosts ? this.hosts : new Subscription(received.typeUrl, this.ahead.begin(received)));
    this.subscriptions.set(received.typeUrl, subscription);
    const meant = isHosts ? this.demand.translate(said) : said;
    const request = shareNames(meant, (name, held, asked) =>
      this.newest(received.typeUrl, name, held, asked || subscription.asksFor(name)),
    );
    if (!isHosts) this.ahead.asked(request.typeUrl, request.subscribe);
    if (request.nonce !== '') this.settle(subscription, request);
    this.starting.asked(request);
    const endpoints = request.typeUrl === ENDPOINT_TYPE;
    subscription.subscribe(
      request,
      // A cluster sent on this stream waits for its endpoints though the proxy holds them from before.
      (name) => endpoints && this.gate.waitsFor(name),
      () => this.registry.wildcardNames(this.proxy, request.typeUrl),
    );
    if (request.typeUrl === CLUSTER_TYPE) {
      const used = known === undefined ? [...subscription.names, ...subscription.ahead] : request.subscribe;
      this.clustersAhead.follow(subscription, used);
      if (request.unsubscribe.length > 0) this.gate.keepTo((name) => subscription.covers(name));
    }
    // Envoy also changes what it asks for in a request that acknowledges something.
    const changes = request.nonce === '' || request.subscribe.length > 0 || request.unsubscribe.length > 0;
    if (changes && (isHosts || request.typeUrl === ROUTE_TYPE)) this.followRoutes(request.current);
    this.pump();
  }

  /** Notes names that may differ now. Nothing is sent before `pump`. */
  mark(affected: ReadonlyMap<string, ReadonlySet<string>>): void {
    for (const [typeUrl, names] of affected) {
      const subscription = this.subscriptions.get(typeUrl);
      if (subscription === undefined) continue;
      const isHosts = typeUrl === VIRTUAL_HOST_TYPE;
      const isClusters = typeUrl === CLUSTER_TYPE;
      for (const name of names) {
        if (!subscription.covers(name) || (isHosts && !this.demand.concerns(name))) continue;
        if (!isClusters || this.clustersAhead.concerns(subscription, name)) subscription.dirty.add(name);
      }
      if (isHosts) this.demand.review();
      if (isClusters) this.clustersAhead.review(subscription, names);
    }
  }

  /** Sends what may be sent now. */
  pump(): void {
    if (this.closed) {
      return;
    }
    for (const [typeUrl, subscription] of this.subscriptions) {
      if (!ORDERED.includes(typeUrl)) this.send(subscription, 'both');
    }
    const clusters = this.subscriptions.get(CLUSTER_TYPE);
    const endpoints = this.subscriptions.get(ENDPOINT_TYPE);
    const clustersLeft = clusters !== undefined && !this.send(clusters, 'upserts');
    const endpointsLeft = endpoints !== undefined && !this.send(endpoints, 'both');
    if (this.routesMayGo(clustersLeft || endpointsLeft)) {
      for (const typeUrl of ROUTING) {
        const subscription = this.subscriptions.get(typeUrl);
        if (subscription !== undefined) {
          this.send(subscription, 'both');
        }
      }
    }
    if (clusters !== undefined && clusters.inFlight === undefined && clusters.dirty.size > 0) {
      this.removeClusters(clusters);
    }
  }

  close(): void {
    this.closed = true;
    this.alarm.stop();
  }

  subscription(typeUrl: string): Subscription | undefined {
    return this.subscriptions.get(typeUrl);
  }

  /** Everything subscribed to, by type. */
  all(): Iterable<Subscription> {
    return this.subscriptions.values();
  }

  /** Age in ms of the oldest response without an answer; 0 when none waits. */
  oldestUnanswered(): number {
    let oldest = 0;
    for (const { inFlight } of this.subscriptions.values()) {
      oldest = Math.max(oldest, inFlight === undefined ? 0 : performance.now() - inFlight.sentAt);
    }
    return oldest;
  }

  private settle(subscription: Subscription, request: DeltaRequest): void {
    const { sentAt = 0, names: sent = [] } = subscription.inFlight ?? {};
    const names = subscription.settle(request.nonce, request.error);
    if (names === undefined) return;
    if (subscription === this.hosts) this.demand.settled(request.error === undefined);
    if (subscription.typeUrl === CLUSTER_TYPE && names.length === 0) {
      // They go again, those that are still there by then.
      for (const name of sent) this.gate.clusterSettled(name, false);
    }
    if (subscription.typeUrl === CLUSTER_TYPE) {
      // One that goes again, or goes away, is not waited for as it was: its endpoints may be of the newer state.
      for (const name of names)
        this.gate.clusterSettled(name, !subscription.rejected.has(name) && !this.owes(subscription, name));
    } else if (subscription.typeUrl === ENDPOINT_TYPE && !this.gate.open) {
      for (const name of names) if (!this.owes(subscription, name)) this.gate.endpointsSettled(name);
    }
    subscription.answeredAt = performance.now();
    this.events.answered(subscription.typeUrl, names, request.error, performance.now() - sentAt);
  }

  /** Whether a newer state of a name is still to be sent. One that was named again meanwhile may be the same. */
  private owes(subscription: Subscription, name: string): boolean {
    return subscription.owes(name, () => this.newestOf(subscription, name));
  }

  /** Sends one response of a type unless one is unacknowledged. True when nothing of that part is left to send. */
  private send(subscription: Subscription, part: Part): boolean {
    if (!subscription.isOwing) {
      return true;
    }
    if (subscription.inFlight !== undefined) {
      return false;
    }
    const { maxNames } = subscription;
    // Envoy serves requests once it has a first response of each of these: what is not in it is not there. And of virtual hosts one may have a domain
    // from another.
    const responseBytes = ROUTING.includes(subscription.typeUrl)
      ? Number.POSITIVE_INFINITY
      : this.settings.responseBytes;
    const pending = this.pending(subscription, (names, bytes) => bytes > responseBytes || names > maxNames);
    const { chosen, whole } = chooseResources(subscription, pending, part, responseBytes);
    if (chosen.upserts.length > 0 || chosen.removed.length > 0 || subscription.owesResponse) {
      this.write(subscription, chosen, whole);
    }
    return whole;
  }

  private pending(subscription: Subscription, isFull?: (resources: number, bytes: number) => boolean): Pending {
    const { typeUrl } = subscription;
    return subscription.pending(
      (name, held, asked) => this.newest(typeUrl, name, held, asked),
      (name) => this.registry.isPending(this.proxy, typeUrl, name),
      (resource) => typeUrl === CLUSTER_TYPE && this.starting.holdsBack(resource),
      isFull,
    );
  }

  private newestOf(subscription: Subscription, name: string): XdsResource | undefined {
    return this.newest(subscription.typeUrl, name, subscription.version(name), subscription.asksFor(name));
  }

  /** The newest state of a name as the proxy is to have it, who asks for the name or for all. */
  private newest(typeUrl: string, name: string, held: string | undefined, asked: boolean): XdsResource | undefined {
    if (asked) return this.registry.lookup(this.proxy, typeUrl, name, held);
    if (typeUrl === VIRTUAL_HOST_TYPE && !this.demand.sendsUnasked) return undefined;
    return this.registry.lookupInWildcard(this.proxy, typeUrl, name);
  }

  private write(subscription: Subscription, chosen: Pending, whole: boolean): void {
    const { upserts, removed } = chosen;
    const { typeUrl } = subscription;
    const resources = upserts.map((resource) => resource.bytes);
    let gone = removed;
    if (typeUrl === VIRTUAL_HOST_TYPE) {
      gone = removed.filter((name) => subscription.holds(name));
      for (const name of removed) if (!subscription.holds(name)) resources.push(encodeAbsentResource(name));
    }
    const count = resources.length;
    const nonce = String(++this.nonce);
    subscription.markSent(nonce, chosen, performance.now(), whole);
    if (subscription === this.hosts) resources.push(...this.demand.answers(nonce));
    const message = new ResponseMessage({ typeUrl, nonce, resources, removed: gone });
    if (typeUrl === CLUSTER_TYPE) {
      this.followClusters(upserts, removed);
    }
    if (typeUrl === ROUTE_TYPE) {
      for (const { name } of upserts) this.following.sent(name);
      this.followRoutes();
    }
    this.events.pushed(typeUrl, count, message.size);
    this.events.write(message);
  }

  /** An updated cluster waits in Envoy for its load assignment to come again, for 15 s: it is sent again at once. */
  private followClusters(upserts: readonly XdsResource[], removed: readonly string[]): void {
    const endpoints = this.subscriptions.get(ENDPOINT_TYPE);
    this.starting.sent(upserts, removed);
    for (const { name } of upserts) {
      this.gate.clusterSent(name);
      if (endpoints?.names.has(name)) endpoints.force(name);
    }
    for (const name of removed) this.gate.clusterSettled(name, false);
  }

  private followRoutes(current?: ReadonlySet<string>): void {
    const routes = this.subscriptions.get(ROUTE_TYPE);
    const hosts = this.subscriptions.get(VIRTUAL_HOST_TYPE);
    if (routes !== undefined && hosts !== undefined) this.following.follow(routes, hosts, this.demand, current);
  }

  private routesMayGo(unsent: boolean): boolean {
    const waiting = ROUTING.some((typeUrl) => this.subscriptions.get(typeUrl)?.isOwing);
    const endpoints = this.subscriptions.get(ENDPOINT_TYPE);
    // What was to be sent of some may have come to nothing.
    if (endpoints?.isIdle) this.gate.endpointsIdle(endpoints.names);
    if (!waiting || (!unsent && this.gate.open)) {
      this.gate.passed();
      return true;
    }
    const left = this.gate.patience(performance.now(), this.settings.routePatienceMs);
    this.alarm.set(left);
    return left === 0;
  }

  private removeClusters(clusters: Subscription): void {
    const due = this.pending(clusters).removed.filter((name) => !this.starting.keeps(name));
    const routing = ROUTING.flatMap((typeUrl) => this.subscriptions.get(typeUrl) ?? []);
    const { names, waitMs } = this.removals.release(due, routing, performance.now());
    if (names.length > 0) {
      this.write(clusters, { upserts: [], removed: names, more: true }, false);
    }
    this.alarm.set(waitMs);
  }
}
