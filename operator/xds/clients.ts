import type { Labels } from '../mesh/selector.ts';
import type { SidecarScope } from '../mesh/sidecar-scope.ts';
import type { Locality, Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { AssignmentClient } from './assignment.ts';
import type { Distinctions } from './distinctions.ts';
import { isDualStack } from './inbound-shape.ts';
import { type OutboundTelemetry, outboundTelemetry } from './outbound-telemetry.ts';
import type { ProxyIdentity } from './resource.ts';
import { Scope, type ScopeSources } from './scope.ts';

/** A proxy as far as its outbound side depends on who it is. */
export interface Client extends AssignmentClient {
  readonly scope: Scope;
  /** In which short names resolve. */
  readonly namespace: string;
  readonly dualStack: boolean;
  /** It answers DNS, so that hosts without an address have one for it. */
  readonly dnsCapture: boolean;
  /** It asks for clusters when they are first used. */
  readonly onDemand: boolean;
  /** What is told of its requests. */
  readonly telemetry: OutboundTelemetry | undefined;
  /** Equal for clients that are sent the same listeners and routes. */
  readonly kin: string;
}

/** What of a client listeners depend on. */
export type View = Pick<Client, 'scope' | 'dualStack' | 'dnsCapture' | 'onDemand' | 'telemetry'>;

/** Equal for views that are the same. */
export function viewKey({ scope, dualStack, dnsCapture, onDemand, telemetry }: View): string {
  return `${dualStack} ${dnsCapture} ${onDemand} ${telemetry?.key ?? ''} ${scope.key}`;
}

/** What a client is made of. */
interface Traits {
  readonly namespace: string;
  readonly labels: Labels;
  readonly locality: Locality;
  readonly sidecar: string | undefined;
  readonly dualStack: boolean;
  readonly dnsCapture: boolean;
  readonly onDemand: boolean;
  readonly telemetry: OutboundTelemetry | undefined;
}

const NOWHERE: Locality = { region: '', zone: '', subzone: '' };

/** Puts proxies that see the mesh alike into one scope. */
export class Clients {
  private readonly sources: ScopeSources;
  private readonly distinctions: Distinctions;
  private readonly sidecars: (key: string) => SidecarScope | undefined;
  private readonly workloads: (uid: WorkloadUid) => Workload | undefined;
  private readonly scopes = new Map<string, Scope>();
  /** How many clients a scope has. */
  private readonly users = new Map<Scope, number>();
  private readonly known = new Map<WorkloadUid, { readonly client: Client; readonly proxy: ProxyIdentity }>();
  private readonly onDemand = new Set<WorkloadUid>();
  /** Of the clients that are known, by `viewKey`, and how many have each. */
  private readonly knownViews = new Map<string, View>();
  private readonly viewUsers = new Map<string, number>();
  private epoch = -1;

  constructor(
    sources: ScopeSources,
    distinctions: Distinctions,
    sidecars: (key: string) => SidecarScope | undefined,
    workloads: (uid: WorkloadUid) => Workload | undefined,
  ) {
    this.sources = sources;
    this.distinctions = distinctions;
    this.sidecars = sidecars;
    this.workloads = workloads;
  }

  get(proxy: ProxyIdentity): Client {
    const known = this.known.get(proxy.uid);
    if (known !== undefined) return known.client;
    return this.put(proxy);
  }

  /** The client that a proxy is, without counting it among those that have asked. */
  peek(proxy: ProxyIdentity): Client {
    const known = this.known.get(proxy.uid);
    if (known !== undefined) return known.client;
    const client = this.build(proxy);
    if (!this.users.has(client.scope)) this.scopes.delete(client.scope.key);
    return client;
  }

  /** Scopes of the proxies that have asked. */
  all(): Iterable<Scope> {
    return this.scopes.values();
  }

  /** Views of the proxies that have asked, by `viewKey`. */
  get views(): ReadonlyMap<string, View> {
    return this.knownViews;
  }

  /** Whether any of the proxies that have asked is sent clusters on demand. */
  get anyOnDemand(): boolean {
    return this.onDemand.size > 0;
  }

  /** Pods whose proxies have asked. */
  uids(): IterableIterator<WorkloadUid> {
    return this.known.keys();
  }

  /**
   * Looks at a proxy anew after its pod, or the Sidecar that applies to it, changed.
   * @returns true when its outbound side may differ in whole
   */
  refresh(uid: WorkloadUid): boolean {
    const known = this.known.get(uid);
    if (known === undefined) return false;
    if (this.workloads(uid) === undefined) {
      this.known.delete(uid);
      this.onDemand.delete(uid);
      this.leave(known.client);
      return true;
    }
    const client = this.put(known.proxy);
    return keyOf(client) !== keyOf(known.client) || client.scope !== known.client.scope;
  }

  /** Sorts all proxies into scopes anew when others are told apart now. True when that was so: no scope is the one it was. */
  regroup(): boolean {
    if (this.epoch === this.distinctions.epoch) return false;
    this.epoch = this.distinctions.epoch;
    this.scopes.clear();
    for (const { proxy } of [...this.known.values()]) this.put(proxy);
    return true;
  }

  /** Drops the scopes of a Sidecar; its proxies are to be refreshed. */
  dropSidecar(key: string): void {
    for (const [name, scope] of this.scopes) if (scope.traits.sidecarKey === key) this.scopes.delete(name);
  }

  private put(proxy: ProxyIdentity): Client {
    const before = this.known.get(proxy.uid)?.client;
    const client = this.build(proxy);
    this.known.set(proxy.uid, { client, proxy });
    if (client.onDemand) this.onDemand.add(proxy.uid);
    else this.onDemand.delete(proxy.uid);
    const key = viewKey(client);
    this.knownViews.set(key, client);
    this.viewUsers.set(key, (this.viewUsers.get(key) ?? 0) + 1);
    this.users.set(client.scope, (this.users.get(client.scope) ?? 0) + 1);
    if (before !== undefined) this.leave(before);
    return client;
  }

  private leave(client: Client): void {
    const { scope } = client;
    const key = viewKey(client);
    if (countDown(this.viewUsers, key)) this.knownViews.delete(key);
    if (countDown(this.users, scope) && this.scopes.get(scope.key) === scope) this.scopes.delete(scope.key);
  }

  private build(proxy: ProxyIdentity): Client {
    const workload = this.workloads(proxy.uid);
    const { sidecar, ...traits } = traitsOf(proxy, workload);
    const { namespace, labels } = traits;
    const position = this.distinctions.position(workload?.spiffeId);
    const egress = sidecar === undefined ? undefined : this.sidecars(sidecar);
    const relevant = this.distinctions.relevantLabels(labels);
    // A Sidecar for the whole mesh may import each client's own namespace.
    const audience = importsOwn(egress) ? namespace : this.distinctions.audience(namespace);
    const key = JSON.stringify([audience, sidecar ?? '', relevant, ...(position === undefined ? [] : [position])]);
    let scope = this.scopes.get(key);
    if (scope === undefined) {
      const own = { audience, labels: relevant, ...(position === undefined ? {} : { position }) };
      scope = new Scope(key, { ...own, sidecar: egress, sidecarKey: sidecar }, this.sources);
      this.scopes.set(key, scope);
    }
    // Short names resolve in the namespace.
    return { scope, ...traits, kin: `${namespace} ${viewKey({ scope, ...traits })}` };
  }
}

/** Counts one less. True when that was the last. */
function countDown<Key>(counts: Map<Key, number>, key: Key): boolean {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
  return left <= 0;
}

function traitsOf(proxy: ProxyIdentity, workload: Workload | undefined): Traits {
  if (workload === undefined) {
    const nothing = { labels: {}, locality: NOWHERE, sidecar: undefined, dualStack: false, dnsCapture: false };
    return { namespace: proxy.namespace, ...nothing, onDemand: false, telemetry: undefined };
  }
  const { namespace, labels, locality, sidecar, dnsCapture, onDemand } = workload;
  const told = { telemetry: outboundTelemetry(workload.telemetry) };
  return { namespace, labels, locality, sidecar, dualStack: isDualStack(workload), dnsCapture, onDemand, ...told };
}

function keyOf({ namespace, labels, locality, dualStack, dnsCapture, onDemand, telemetry }: Client): string {
  return JSON.stringify([namespace, labels, locality, dualStack, dnsCapture, onDemand, telemetry?.key]);
}

function importsOwn(sidecar: SidecarScope | undefined): boolean {
  return sidecar?.egress.some(({ hosts }) => hosts.some(({ namespace }) => namespace === '.')) ?? false;
}
