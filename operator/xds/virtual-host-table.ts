import { isHttp } from '../mesh/protocol.ts';
import type { Backend, HttpRule, RouteRule } from '../mesh/route-rule.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import { BackendResolution, destinationService, type ResolutionSources } from './backend-resolution.ts';
import { callerSide } from './caller-side.ts';
import type { Share } from './destination.ts';
import { sourcesOf } from './distinctions.ts';
import { type EncodedHosts, encodeHosts } from './encoded-hosts.ts';
import { ROUTED_HTTP_PORT } from './http-protocols.ts';
import type { RouteContext } from './http-route-context.ts';
import { buildHttpRoutes } from './http-routes.ts';
import { cutHttpRules, isSource, mergeHttpRules } from './http-rules.ts';
import { virtualHost } from './names.ts';
import { routablePorts } from './routable-ports.ts';
import { destinationsOf } from './rule-index.ts';
import type { Scope } from './scope.ts';
import type { VersionLog } from './version-log.ts';
import { buildVirtualHost, type HostScope, hostDomains } from './virtual-hosts.ts';

const NOTHING_TAKEN: ReadonlySet<string> = new Set();

/** What stands behind a host on a port for some clients. */
interface Subject {
  readonly hostname: Hostname;
  readonly port: number;
  /** Of the name itself: for an ExternalName its own. Absent: only routes know the host. */
  readonly named: MeshService | undefined;
  /** Where its requests go unless routes say otherwise: for an ExternalName the service it stands for. */
  readonly target: MeshService | undefined;
  readonly rules: readonly RouteRule[];
}

/** The virtual hosts of all hostnames, each encoded once for all clients that see the same. */
export class VirtualHostTable {
  /** How many were encoded so far: what a change costs. */
  encodings = 0;
  private readonly sources: ResolutionSources;
  private readonly log: Pick<VersionLog, 'note'>;
  private readonly encoded = new Map<Hostname, Map<string, EncodedHosts>>();

  /** @param log is told of every version that is made */
  constructor(sources: ResolutionSources, log: Pick<VersionLog, 'note'>) {
    this.sources = sources;
    this.log = log;
  }

  /** Forgets what was encoded for a hostname: something that it depends on differs. */
  forget(hostname: Hostname): void {
    this.encoded.delete(hostname);
  }

  /**
   * The virtual hosts of a hostname on a port.
   * @param namespace of the client, in which short names resolve
   * @param taken domains that are not to be among theirs: a route configuration may have each once
   * @returns undefined when these clients have nothing there
   */
  get(
    scope: Scope,
    hostname: Hostname,
    port: number,
    namespace: string,
    taken: ReadonlySet<string> = NOTHING_TAKEN,
  ): EncodedHosts | undefined {
    const subject = this.subject(scope, hostname, port);
    if (subject === undefined) return undefined;
    const from: HostScope = subject.named?.namespace === namespace ? 'home' : 'foreign';
    const key = `${port} ${from} ${[...taken].sort()} ${this.keyOf(scope, subject)}`;
    const variants = this.encoded.get(hostname) ?? new Map<string, EncodedHosts>();
    this.encoded.set(hostname, variants);
    const known = variants.get(key) ?? this.build(scope, subject, from, taken);
    variants.set(key, known);
    return known;
  }

  private subject(scope: Scope, hostname: Hostname, port: number): Subject | undefined {
    const named = scope.service(hostname);
    if (named === undefined) {
      const rules = port === ROUTED_HTTP_PORT ? scope.rules(hostname).filter(({ http }) => http.length > 0) : [];
      return rules.length === 0 ? undefined : { hostname, port, named, target: undefined, rules };
    }
    const target = named.kind === 'ExternalName' ? this.targetOf(scope, named) : named;
    if (target === undefined || !scope.seesOnPort(named, port, 'any')) return undefined;
    const found = routablePorts(target).find((one) => one.port === port);
    if (found === undefined || !isHttp(found.protocol)) return undefined;
    const own = scope.rules(hostname);
    return { hostname, port, named, target, rules: own.length > 0 ? own : scope.rules(target.hostname) };
  }

  private targetOf(scope: Scope, { hostname }: MeshService): MeshService | undefined {
    const target = this.sources.aliases.target(hostname);
    const service = target === undefined ? undefined : scope.service(target);
    return service?.kind === 'ExternalName' ? undefined : service;
  }

  /** Equal for clients for which the virtual host comes out the same, until a hostname that it depends on is forgotten. */
  private keyOf(scope: Scope, { named, target, rules }: Subject): string {
    const policy = (service: MeshService | undefined): string => {
      const matches = service?.split?.terms?.matches ?? [];
      const sources = matches.map(({ source }) => (isSource(source, scope.traits) ? 1 : 0)).join('');
      const side = service?.split === undefined ? '' : (callerSide(service.split, scope.traits) ?? '');
      return `${(service && scope.policy(service)?.keys.join(' ')) ?? ''} ${sources}${side}`;
    };
    const own = `${named?.key ?? ''} ${target?.key ?? ''} ${policy(target)}`;
    if (rules.length === 0) return own;
    const parts = rules.map((rule) => {
      const sources = sourcesOf(rule).map((source) => (isSource(source, scope.traits) ? 1 : 0));
      const destinations = [...destinationsOf(rule)].map((hostname) => {
        const service = destinationService(this.sources, scope, hostname);
        return `${service?.key ?? ''} ${policy(service)}`;
      });
      return [rule.key, sources, destinations];
    });
    return JSON.stringify([own, parts]);
  }

  private build(scope: Scope, subject: Subject, from: HostScope, taken: ReadonlySet<string>): EncodedHosts {
    const { hostname, port, named, target } = subject;
    const free = (domains: readonly string[]) => domains.filter((domain) => !taken.has(domain));
    const rules = this.rulesFor(scope, subject);
    const resolution = new BackendResolution(this.sources, scope, port);
    const own = free(hostDomainsOf(subject, from));
    const hosts =
      own.length === 0 ? [] : [buildVirtualHost(virtualHost(port, hostname), own, buildHttpRoutes(rules, resolution))];
    const pods = target && named && this.sources.services.variant(scope, target).podShares.get(port);
    if (pods !== undefined && named !== undefined) {
      const podDomains = free(hostDomains(named, from, '*.'));
      const routes = buildHttpRoutes([defaultRule({ hostname, port })], toPods(port, pods));
      if (podDomains.length > 0) hosts.push(buildVirtualHost(virtualHost(port, hostname, 'pods'), podDomains, routes));
    }
    this.encodings += hosts.length;
    const encoded = encodeHosts(hosts);
    for (const { version } of encoded.resources) this.log.note(version);
    return encoded;
  }

  /** The rules that can match, or, where no object has any for these clients, one that sends everything to the service. */
  private rulesFor({ traits }: Scope, { port, target, rules }: Subject): readonly HttpRule[] {
    const cut = cutHttpRules(mergeHttpRules(rules), port, traits);
    return cut.length > 0 || target === undefined ? cut : [defaultRule({ hostname: target.hostname, port })];
  }
}

function hostDomainsOf({ hostname, named }: Subject, from: HostScope): string[] {
  return named === undefined ? [hostname] : hostDomains(named, from);
}

/** Everything to one place, as without any routes. */
function defaultRule(backend: Backend): HttpRule {
  return { name: '', matches: [], action: { kind: 'forward', backends: [{ ...backend, weight: 100 }] }, mirrors: [] };
}

/** Requests to single pods go where they were sent, whatever backend a rule names. */
function toPods(port: number, shares: readonly Share[]): RouteContext {
  return { port, resolve: () => ({ shares, hashPolicies: [] }), mirrorCluster: () => '' };
}
