import type { PathNormalization } from '../../api/mesh-config.ts';
import { isProxyPort } from '../../proxy/ports.ts';
import type { DestinationIndex, SelectedPolicy } from '../mesh/destination-selection.ts';
import { coversHostname, isWildcard } from '../mesh/hostname.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { RouteRule } from '../mesh/route-rule.ts';
import type { Labels } from '../mesh/selector.ts';
import type { EgressListener, ImportedHosts, SidecarScope } from '../mesh/sidecar-scope.ts';
import type { Hostname, MeshService, MeshSettings, OutboundPolicy } from '../mesh/snapshot.ts';
import { isVisibleTo } from '../mesh/visibility.ts';
import type { HostIndex } from './host-index.ts';
import type { RuleIndex } from './rule-index.ts';

/** What scopes are looked up in. */
export interface ScopeSources {
  readonly settings: MeshSettings;
  readonly hosts: HostIndex;
  readonly rules: RuleIndex;
  readonly policies: DestinationIndex;
}

/** What tells the clients of one scope from those of others. */
export interface ScopeTraits {
  /** Namespace, as far as it makes a difference; '' else. */
  readonly audience: string;
  /** Labels that make a difference. */
  readonly labels: Labels;
  /** Of its identity among all callers (`callerPosition`), where that makes a difference. */
  readonly position?: number;
  readonly sidecar: SidecarScope | undefined;
  /** Of the Sidecar, also while it is not there (yet). */
  readonly sidecarKey: ObjectKey | undefined;
}

const NO_RULES: readonly RouteRule[] = [];

/** The mesh as all clients of some traits see it: which services, routes and policies are theirs. Remembers what it was asked until told. */
export class Scope {
  readonly key: string;
  readonly traits: ScopeTraits;
  private readonly sources: ScopeSources;
  private readonly services = new Map<Hostname, MeshService | undefined>();
  private readonly rulesOf = new Map<Hostname, readonly RouteRule[]>();
  private readonly policyOf = new Map<Hostname, SelectedPolicy | undefined>();

  constructor(key: string, traits: ScopeTraits, sources: ScopeSources) {
    this.key = key;
    this.traits = traits;
    this.sources = sources;
  }

  /** What becomes of connections to hosts that nobody knows. */
  get outboundPolicy(): OutboundPolicy {
    return this.traits.sidecar?.outboundPolicy ?? this.sources.settings.outboundTrafficPolicy.mode;
  }

  /** How far paths are normalised; undefined: as far as `BASE` says. */
  get normalization(): PathNormalization | undefined {
    return this.sources.settings.pathNormalization?.normalization;
  }

  /** Forgets what it knows of hostnames; all of it without an argument. */
  forget(hostnames?: Iterable<Hostname>): void {
    for (const memo of [this.services, this.rulesOf, this.policyOf]) {
      if (hostnames === undefined) memo.clear();
      else for (const hostname of hostnames) memo.delete(hostname);
    }
  }

  /** The service that the hostname stands for; undefined when there is none that these clients see. */
  service(hostname: Hostname): MeshService | undefined {
    if (this.services.has(hostname)) return this.services.get(hostname);
    const { audience } = this.traits;
    const visible = this.sources.hosts
      .claimants(hostname)
      .filter((one) => isVisibleTo(one.visibility, audience) && this.imports(one));
    const own = visible.find(({ kind, namespace }) => kind === 'Entry' && namespace === audience);
    const [first] = visible;
    const found = first?.kind === 'Entry' ? (own ?? first) : first;
    this.services.set(hostname, found);
    return found;
  }

  /** The service that a route to the hostname leads to: as `service`, or a ServiceEntry of many hosts that covers it. */
  destination(hostname: Hostname): MeshService | undefined {
    const exact = this.service(hostname);
    if (exact !== undefined) return exact;
    for (const pattern of this.sources.hosts.coveringWildcards(hostname)) {
      const covering = this.service(pattern);
      if (covering !== undefined) return covering;
    }
    return undefined;
  }

  /**
   * Whether clients on a port see the service: a Sidecar may have a listener with hosts of its own for the port.
   * @param bind address of a listener that clients connect to themselves; undefined: they are redirected; `any`: either
   */
  seesOnPort(service: MeshService, port: number, bind?: string): boolean {
    const egress = this.traits.sidecar?.egress ?? [];
    if (egress.length === 0) return bind === undefined || bind === 'any';
    const { audience } = this.traits;
    const own = listenersOn(egress, port, bind);
    return own.some(({ hosts }) => importsService(hosts, service, audience)) || (!isOwn(own) && this.isRouted(service));
  }

  /** Where a Sidecar has listeners that clients connect to themselves; not on ports of the proxy's own, which are in use. */
  boundListeners(): { readonly address: string; readonly port: number }[] {
    const egress = this.traits.sidecar?.egress ?? [];
    return egress.flatMap(({ bind, port }) =>
      bind === undefined || port === undefined || isProxyPort(port.number)
        ? []
        : [{ address: bind, port: port.number }],
    );
  }

  /** Route rules for a hostname: those of the most specific host that covers it, the oldest first. */
  rules(hostname: Hostname): readonly RouteRule[] {
    const known = this.rulesOf.get(hostname);
    if (known !== undefined) return known;
    let found = NO_RULES;
    for (const group of this.sources.rules.covering(hostname)) {
      found = group.filter((rule) => isVisibleTo(rule.visibility, this.traits.audience) && this.importsRule(rule));
      if (found.length > 0) break;
    }
    this.rulesOf.set(hostname, found);
    return found;
  }

  /** The destination policy for a service. */
  policy(service: MeshService): SelectedPolicy | undefined {
    const { hostname } = service;
    if (this.policyOf.has(hostname)) return this.policyOf.get(hostname);
    const { audience, labels } = this.traits;
    const { rootNamespace } = this.sources.settings;
    const found = this.sources.policies.select({ namespace: audience, labels }, service, rootNamespace);
    this.policyOf.set(hostname, found);
    return found;
  }

  private imports(service: MeshService): boolean {
    const egress = this.traits.sidecar?.egress ?? [];
    if (egress.length === 0) return true;
    return egress.some(({ hosts }) => importsService(hosts, service, this.traits.audience)) || this.isRouted(service);
  }

  /** Where an imported rule leads to is imported with it. */
  private isRouted({ hostname }: MeshService): boolean {
    for (const rule of this.sources.rules.leadingTo(hostname)) {
      if (!isVisibleTo(rule.visibility, this.traits.audience) || !this.importsRule(rule)) continue;
      return true;
    }
    return false;
  }

  private importsRule({ object, hosts }: RouteRule): boolean {
    const egress = this.traits.sidecar?.egress ?? [];
    if (egress.length === 0) return true;
    return egress.some((listener) =>
      listener.hosts.some(
        (imported) =>
          isFrom(imported, object.namespace, this.traits.audience) &&
          hosts.some(
            (host) => coversHostname(imported.host, host) || (isWildcard(host) && coversHostname(host, imported.host)),
          ),
      ),
    );
  }
}

/** The listeners whose hosts are reached on a port: those of the port, and where clients are redirected to none of them those for all ports. */
function listenersOn(
  egress: readonly EgressListener[],
  port: number,
  bind: string | undefined,
): readonly EgressListener[] {
  const own = egress.filter((one) => one.port?.number === port && (bind === 'any' || one.bind === bind));
  if (own.some((one) => one.bind === undefined) || (bind !== undefined && bind !== 'any')) return own;
  return [...own, ...egress.filter((one) => one.port === undefined)];
}

/** Listeners for a port import what they say and nothing else. */
function isOwn(listeners: readonly EgressListener[]): boolean {
  return listeners.length > 0 && listeners.every(({ port }) => port !== undefined);
}

function importsService(
  hosts: readonly ImportedHosts[],
  { namespace, hostname }: MeshService,
  audience: string,
): boolean {
  return hosts.some((imported) => isFrom(imported, namespace, audience) && coversHostname(imported.host, hostname));
}

/** @param audience the client's own namespace, which `.` stands for in a Sidecar for the whole mesh */
function isFrom(imported: ImportedHosts, namespace: string, audience: string): boolean {
  if (imported.namespace === '.') return namespace === audience;
  return imported.namespace === '*' || imported.namespace === namespace;
}
