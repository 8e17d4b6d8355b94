import type { DestinationIndex } from '../mesh/destination-selection.ts';
import { coversHostname, isWildcard } from '../mesh/hostname.ts';
import type { Hostname, MeshDelta, MeshService, MeshSnapshot, ServiceKey } from '../mesh/snapshot.ts';
import type { AliasTable } from './aliases.ts';
import type { Distinctions } from './distinctions.ts';
import type { HostIndex } from './host-index.ts';
import { routeNames } from './route-names.ts';
import { destinationsOf, type RuleIndex } from './rule-index.ts';

/** The tables that an update is taken into. */
export interface OutboundIndexes {
  readonly hosts: HostIndex;
  readonly rules: RuleIndex;
  readonly policies: DestinationIndex;
  readonly aliases: AliasTable;
  readonly distinctions: Distinctions;
}

/** What an update touches, before anything is translated. */
export interface Touched {
  /** Services whose clusters and endpoints may differ. */
  readonly services: Set<ServiceKey>;
  /** Hostnames whose policies may be others. */
  readonly policies: Set<Hostname>;
  /** Hostnames that may stand for other services than before, or for none, to some clients. */
  readonly contested: Set<Hostname>;
  /** Hostnames whose routes may be others, whatever becomes of their services. */
  readonly routes: Set<Hostname>;
  /** Hostnames that routes lead to now, or did: a Sidecar that imports the routes imports them too. */
  readonly destinations: Set<Hostname>;
  /** Ports that services had which are gone or changed, by hostname. */
  readonly formerPorts: Map<Hostname, Set<number>>;
}

/** Takes what differs in a snapshot into the indexes, and finds by them what it touches. */
export function takeIn(indexes: OutboundIndexes, snapshot: MeshSnapshot, delta: MeshDelta): Touched {
  const touched: Touched = {
    services: new Set(),
    policies: new Set(),
    contested: new Set(),
    routes: new Set(),
    destinations: new Set(),
    formerPorts: new Map(),
  };
  for (const key of delta.services) takeService(indexes, key, snapshot.services.get(key), touched);
  for (const key of delta.endpoints) touched.services.add(key);
  for (const key of delta.destinationPolicies) {
    const before = indexes.policies.get(key);
    const after = snapshot.destinationPolicies.get(key);
    indexes.policies.set(key, after);
    indexes.distinctions.setPolicy(after, key);
    for (const host of [before?.host, after?.host]) addCovered(indexes, host, touched.policies);
  }
  for (const hostname of touched.policies) {
    for (const { key } of indexes.hosts.claimants(hostname)) touched.services.add(key);
  }
  for (const key of delta.routeRules) {
    const before = indexes.rules.get(key);
    const after = snapshot.routeRules.get(key);
    indexes.rules.set(key, after);
    indexes.distinctions.setRule(after, key);
    for (const rule of [before, after]) {
      for (const host of rule?.hosts ?? []) addCovered(indexes, host, touched.routes);
      for (const hostname of rule === undefined ? [] : destinationsOf(rule)) touched.destinations.add(hostname);
    }
  }
  if (snapshot.sidecars.size > 0) for (const hostname of touched.destinations) touched.contested.add(hostname);
  for (const hostname of touched.contested) {
    for (const { key } of indexes.hosts.claimants(hostname)) touched.services.add(key);
  }
  return touched;
}

/** A hostname and all that its routes and its aliases reach: whose routes lead to it, and which names stand for it. */
export function withDependants(
  { rules, aliases, hosts }: OutboundIndexes,
  hostnames: Iterable<Hostname>,
): Set<Hostname> {
  const found = routeNames({ aliases, rules }, hostnames);
  // A set's iterator also visits what is added on the way, but what leads to a host that routes lead to does not depend on it.
  for (const hostname of [...found]) {
    for (const rule of rules.leadingTo(hostname)) {
      for (const host of rule.hosts) addCovered({ hosts, rules }, host, found);
    }
  }
  return aliases.withAliases(found);
}

function takeService(
  { hosts, aliases, rules, distinctions }: OutboundIndexes,
  key: ServiceKey,
  service: MeshService | undefined,
  touched: Touched,
): void {
  const before = hosts.get(key);
  hosts.set(key, service);
  distinctions.setService(service, key);
  // What an ExternalName no longer stands for routes to it no longer lead to.
  const former = before?.kind === 'ExternalName' ? aliases.target(before.hostname) : undefined;
  if (former !== undefined) touched.destinations.add(former);
  if (service?.kind !== 'Entry' && before?.kind !== 'Entry') aliases.set(service?.hostname ?? key, service);
  touched.services.add(key);
  const hostname = service?.hostname ?? before?.hostname ?? key;
  if (before !== undefined) {
    const ports = touched.formerPorts.get(hostname) ?? new Set<number>();
    touched.formerPorts.set(hostname, ports);
    for (const { port } of before.ports) ports.add(port);
  }
  if (String(before?.visibility) !== String(service?.visibility)) touched.contested.add(hostname);
  if (before !== undefined && service !== undefined) return;
  touched.routes.add(hostname);
  // Routes for many hosts stand for themselves only while they cover no service.
  for (const group of rules.covering(hostname)) {
    for (const rule of group) for (const host of rule.hosts) if (isWildcard(host)) touched.routes.add(host);
  }
}

/** The host itself, and the services and the hosts of other rules that it covers. */
function addCovered(
  { hosts, rules }: Pick<OutboundIndexes, 'hosts' | 'rules'>,
  host: Hostname | undefined,
  found: Set<Hostname>,
): void {
  if (host === undefined) return;
  found.add(host);
  if (!isWildcard(host)) return;
  for (const names of [hosts.hostnames(), rules.allHosts()]) {
    for (const hostname of names) if (coversHostname(host, hostname)) found.add(hostname);
  }
}
