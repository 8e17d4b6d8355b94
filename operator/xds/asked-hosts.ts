import { coveringHosts, isWildcard } from '../mesh/hostname.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import type { Client } from './clients.ts';
import type { DomainClaims } from './domain-claims.ts';
import { type EncodedHosts, encodeVirtualHost } from './encoded-hosts.ts';
import { readVirtualHost, unknownHost, virtualHost } from './names.ts';
import type { Answer, XdsResource } from './resource.ts';
import type { Scope } from './scope.ts';
import { buildUnknownHost } from './virtual-hosts.ts';

/** What authorities are looked up in. */
export interface AskedSources {
  readonly claims: DomainClaims;
  /** Hostnames that somebody has on a port; undefined where nobody has HTTP. */
  onPort(port: number): ReadonlySet<Hostname> | undefined;
  /** The virtual hosts of a hostname as a client has them. */
  resolve(port: number, hostname: Hostname, client: Client): EncodedHosts | undefined;
}

/** Domain of hosts for every name. */
const ANY = '*';

/** What can be a domain of one host: no wildcard, nothing that names of virtual hosts are parted by, and not longer than a DNS name. */
const DOMAIN = /^[!-)+-.0-{}~]{1,253}$/;

/** So much is remembered of what proxies ask for, which their applications may make up. */
const KEPT = 10_000;

/** Which virtual hosts a client needs that asks for them one by one, by the authorities of its requests. */
export class AskedHosts {
  /** Number of the state of the mesh as far as the answers depend on it. */
  state = 0;
  private readonly sources: AskedSources;
  private readonly encoded = new Map<string, XdsResource>();
  /** By scope, then by namespace and domain, or wildcard host: what was asked for since the last change. */
  private readonly answersOf = new Map<Scope, Map<string, Answer>>();
  private readonly companionsOf = new Map<Scope, Map<string, readonly string[]>>();

  constructor(sources: AskedSources) {
    this.sources = sources;
  }

  /** Hosts that there are, their domains, or who sees them, may be others now. */
  forget(): void {
    this.state += 1;
    this.answersOf.clear();
    this.companionsOf.clear();
  }

  /**
   * The virtual host for requests to a domain, as Envoy would choose it from all that the client may have: the domain itself, the longest wildcard
   * that covers it, or all. Where nobody has it, it is one for this unknown host alone, or, for what can be no domain, the one for all unknown hosts.
   * Undefined where there is no HTTP on the port, but for clients that ask: they may come to have its route configuration again, and do not ask twice.
   */
  answer(port: number, domain: string, client: Client): Answer | undefined {
    if (this.sources.onPort(port) === undefined && !client.onDemand) return undefined;
    const known = this.answersOf.get(client.scope) ?? new Map<string, Answer>();
    const key = `${client.namespace} ${port}/${domain}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = this.find(port, domain, client);
    if (known.size >= KEPT) known.clear();
    this.answersOf.set(client.scope, known.set(key, found));
    return found;
  }

  /**
   * Names of the virtual hosts with domains that a virtual host's wildcard covers: a proxy that has that one would take it for all of these, and ask for
   * none. Of the one for all hosts they are not given.
   */
  companions(name: string, client: Client): readonly string[] {
    const read = readVirtualHost(name);
    const isPods = read?.part === 'pods';
    if (read === undefined || (!isPods && (read.part !== 'host' || !isWildcard(read.hostname)))) return [];
    const known = this.companionsOf.get(client.scope) ?? new Map<string, readonly string[]>();
    this.companionsOf.set(client.scope, known);
    const key = `${client.namespace} ${name}`;
    const found = known.get(key) ?? [...this.under(read.port, name, client)];
    known.set(key, found);
    return found;
  }

  /** The virtual host of a host that a client asked for and nobody has; undefined when somebody has it. */
  unknown(port: number, domain: string, client: Client): XdsResource | undefined {
    const name = virtualHost(port, domain, 'asked');
    if (this.answer(port, domain, client)?.name !== name) return undefined;
    const policy = client.scope.outboundPolicy;
    const key = `${policy} ${name}`;
    const before = this.encoded.get(key);
    if (before !== undefined) return before;
    const encoded = encodeVirtualHost(buildUnknownHost(name, policy, domain));
    if (this.encoded.size >= KEPT) this.encoded.clear();
    this.encoded.set(key, encoded);
    return encoded;
  }

  private find(port: number, domain: string, client: Client): Answer {
    for (const one of coveringHosts(domain)) {
      const name = this.owner(port, one, client);
      if (name !== undefined) return { name, kind: one === ANY ? 'all' : isWildcard(one) ? 'covered' : 'some' };
    }
    if (!DOMAIN.test(domain)) return { name: unknownHost(port), kind: 'all' };
    return { name: virtualHost(port, domain, 'asked'), kind: 'unknown' };
  }

  /** The virtual host that has a domain, which may be a wildcard. */
  private owner(port: number, domain: string, client: Client): string | undefined {
    const { claims, onPort, resolve } = this.sources;
    for (const hostname of claims.of(domain, client.namespace)) {
      if (onPort(port)?.has(hostname) !== true) continue;
      const hosts = resolve(port, hostname, client);
      if (hosts?.domains.includes(domain) !== true) continue;
      return virtualHost(port, hostname, isWildcard(domain) && !isWildcard(hostname) ? 'pods' : 'host');
    }
    return undefined;
  }

  private *under(port: number, name: string, client: Client): Generator<string> {
    const { claims, onPort, resolve } = this.sources;
    const hostname = readVirtualHost(name)?.hostname ?? '';
    const patterns = resolve(port, hostname, client)?.domains.filter(isWildcard) ?? [];
    for (const other of onPort(port) ?? []) {
      if (!patterns.some((pattern) => claims.mayHaveUnder(other, pattern))) continue;
      const hosts = resolve(port, other, client);
      for (const resource of hosts?.resources ?? []) if (resource.name !== name) yield resource.name;
    }
  }
}
