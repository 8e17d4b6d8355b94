import { HostBuckets } from '../mesh/host-buckets.ts';
import { KeySets } from '../mesh/key-sets.ts';
import { byAge } from '../mesh/mesh-object.ts';
import type { ObjectKey } from '../mesh/object-ref.ts';
import type { Backend, RouteRule, WeightedBackend } from '../mesh/route-rule.ts';
import type { Hostname } from '../mesh/snapshot.ts';
import { SortedGroup } from '../mesh/sorted-group.ts';

const NOTHING: readonly RouteRule[] = [];

/** Route rules by the hosts they are for, and by the hostnames they lead to. */
export class RuleIndex {
  private readonly rules = new Map<ObjectKey, RouteRule>();
  /** By age. */
  private readonly hosts = new HostBuckets<SortedGroup<RouteRule>>();
  private readonly names = new Set<Hostname>();
  /** By the VirtualServices that stand in them: their own, and those that routes are delegated to. */
  private readonly parts = new KeySets<ObjectKey, ObjectKey>();
  private readonly destinations = new KeySets<Hostname, ObjectKey>();
  private readonly mirrors = new KeySets<Hostname, ObjectKey>();

  get(key: ObjectKey): RouteRule | undefined {
    return this.rules.get(key);
  }

  /** Takes the newest state of a rule; undefined when it is gone. */
  set(key: ObjectKey, rule: RouteRule | undefined): void {
    const before = this.rules.get(key);
    if (before !== undefined) this.unlink(before);
    if (rule === undefined) this.rules.delete(key);
    else {
      this.rules.set(key, rule);
      this.link(rule);
    }
  }

  /** Hosts that some rule is for. */
  allHosts(): Iterable<Hostname> {
    return this.names;
  }

  /** Rules for exactly this host, the oldest first. */
  forHost(host: Hostname): readonly RouteRule[] {
    return this.hosts.get(host)?.list ?? NOTHING;
  }

  /** Rules whose hosts cover a hostname, in groups of one host each, the most specific first. */
  *covering(hostname: Hostname): Generator<readonly RouteRule[]> {
    for (const { list } of this.hosts.covering(hostname)) yield list;
  }

  /** The rules in which a VirtualService stands: its own, and those that delegate to it. */
  standingIn(key: ObjectKey): RouteRule[] {
    return [...this.parts.get(key)].flatMap((one) => this.rules.get(one) ?? []);
  }

  /** Rules with a route to a hostname. */
  *leadingTo(hostname: Hostname): Generator<RouteRule> {
    for (const key of this.destinations.get(hostname)) {
      const rule = this.rules.get(key);
      if (rule !== undefined) yield rule;
    }
  }

  /** Hostnames that some route leads to. */
  allDestinations(): IterableIterator<Hostname> {
    return this.destinations.names();
  }

  /** Whether some rule sends copies of requests to a hostname. */
  mirrorsTo(hostname: Hostname): boolean {
    return this.mirrors.get(hostname).size > 0;
  }

  /** Hostnames to which some rule sends copies. */
  allMirrors(): IterableIterator<Hostname> {
    return this.mirrors.names();
  }

  private link(rule: RouteRule): void {
    for (const host of rule.hosts) {
      const group = this.hosts.get(host) ?? new SortedGroup<RouteRule>(byAge);
      this.hosts.set(host, group);
      group.put(rule);
      this.names.add(host);
    }
    for (const hostname of destinationsOf(rule)) this.destinations.add(hostname, rule.key);
    for (const { hostname } of mirrorsOf(rule)) this.mirrors.add(hostname, rule.key);
    for (const part of [rule.key, ...rule.delegates]) this.parts.add(part, rule.key);
  }

  private unlink(rule: RouteRule): void {
    for (const host of rule.hosts) {
      const group = this.hosts.get(host);
      group?.delete(rule.key);
      if (group === undefined || group.size > 0) continue;
      this.hosts.set(host, undefined);
      this.names.delete(host);
    }
    for (const hostname of destinationsOf(rule)) this.destinations.delete(hostname, rule.key);
    for (const { hostname } of mirrorsOf(rule)) this.mirrors.delete(hostname, rule.key);
    for (const part of [rule.key, ...rule.delegates]) this.parts.delete(part, rule.key);
  }
}

/** The backends of each of a rule's routes, between which its weights choose. */
export function* choicesOf({ http, tls, tcp }: RouteRule): Generator<readonly WeightedBackend[]> {
  for (const { action } of http) if (action.kind === 'forward') yield action.backends;
  for (const { backends } of [...tls, ...tcp]) yield backends;
}

/** Everything a rule's routes, mirrors included, lead to. */
function backendsOf(rule: RouteRule): Backend[] {
  return [...[...choicesOf(rule)].flat(), ...mirrorsOf(rule)];
}

function mirrorsOf({ http }: RouteRule): Backend[] {
  return http.flatMap(({ mirrors }) => mirrors);
}

const hostnamesOf = new WeakMap<RouteRule, ReadonlySet<Hostname>>();

/** Hostnames a rule's routes lead to, each once. */
export function destinationsOf(rule: RouteRule): ReadonlySet<Hostname> {
  const known = hostnamesOf.get(rule);
  if (known !== undefined) return known;
  const found = new Set(backendsOf(rule).map(({ hostname }) => hostname));
  hostnamesOf.set(rule, found);
  return found;
}
