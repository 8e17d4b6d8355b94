import { HostBuckets } from '../mesh/host-buckets.ts';
import { isWildcard } from '../mesh/hostname.ts';
import { KeySets } from '../mesh/key-sets.ts';
import { byAge } from '../mesh/mesh-object.ts';
import { type ObjectKey, objectKey } from '../mesh/object-ref.ts';
import type { Hostname, MeshService, ServiceKey } from '../mesh/snapshot.ts';
import { SortedGroup } from '../mesh/sorted-group.ts';

const NOBODYS: readonly MeshService[] = [];
const NOBODY: ReadonlySet<Hostname> = new Set();

/** Services by hostname, of which several namespaces may each have their own (ServiceEntries), and by port. */
export class HostIndex {
  private readonly services = new Map<ServiceKey, MeshService>();
  /** A Kubernetes Service before ServiceEntries, these by age. */
  private readonly hosts = new Map<Hostname, SortedGroup<MeshService>>();
  /** Port → hostname → number of services that have the port. */
  private readonly ports = new Map<number, Map<Hostname, number>>();
  /** By the object they come from, and by the Canary that splits them. */
  private readonly objects = new KeySets<ObjectKey, ServiceKey>();
  /** Hostnames with a wildcard in front. */
  private readonly wildcards = new HostBuckets<Hostname>();

  get(key: ServiceKey): MeshService | undefined {
    return this.services.get(key);
  }

  /** Takes the newest state of a service; undefined when it is gone. */
  set(key: ServiceKey, service: MeshService | undefined): void {
    const before = this.services.get(key);
    if (before !== undefined) this.unlink(before);
    if (service === undefined) this.services.delete(key);
    else {
      this.services.set(key, service);
      this.link(service);
    }
  }

  /** The services that an object (a Service, a ServiceEntry) is, or that a Canary splits. */
  *ofObject(key: ObjectKey): Generator<MeshService> {
    for (const serviceKey of this.objects.get(key)) {
      const service = this.services.get(serviceKey);
      if (service !== undefined) yield service;
    }
  }

  hostnames(): IterableIterator<Hostname> {
    return this.hosts.keys();
  }

  /** All that claim a hostname, in order of precedence between strangers. */
  claimants(hostname: Hostname): readonly MeshService[] {
    return this.hosts.get(hostname)?.list ?? NOBODYS;
  }

  /** Hostnames of which some service has the port. */
  onPort(port: number): Iterable<Hostname> {
    return this.ports.get(port)?.keys() ?? NOBODY;
  }

  /** Ports that some service has. */
  allPorts(): IterableIterator<number> {
    return this.ports.keys();
  }

  /** Hostnames with a wildcard in front that cover a hostname, the most specific first. */
  coveringWildcards(hostname: Hostname): Iterable<Hostname> {
    return this.wildcards.covering(hostname);
  }

  private link(service: MeshService): void {
    const { hostname } = service;
    const claimants = this.hosts.get(hostname) ?? new SortedGroup<MeshService>(byPrecedence);
    this.hosts.set(hostname, claimants);
    claimants.put(service);
    if (isWildcard(hostname)) this.wildcards.set(hostname, hostname);
    for (const object of objectsOf(service)) this.objects.add(object, service.key);
    for (const port of numbers(service)) {
      const hosts = this.ports.get(port) ?? new Map<Hostname, number>();
      this.ports.set(port, hosts);
      count(hosts, hostname, 1);
    }
  }

  private unlink(service: MeshService): void {
    const { hostname, key } = service;
    const claimants = this.hosts.get(hostname);
    claimants?.delete(key);
    if (claimants?.size === 0) {
      this.hosts.delete(hostname);
      if (isWildcard(hostname)) this.wildcards.set(hostname, undefined);
    }
    for (const object of objectsOf(service)) this.objects.delete(object, key);
    for (const port of numbers(service)) {
      const hosts = this.ports.get(port);
      if (hosts !== undefined) count(hosts, hostname, -1);
      if (hosts?.size === 0) this.ports.delete(port);
    }
  }
}

function objectsOf({ object, split }: MeshService): ObjectKey[] {
  return [objectKey(object), ...(split === undefined ? [] : [objectKey(split.canary)])];
}

/** TCP ports, each once. */
function numbers({ ports }: MeshService): Set<number> {
  return new Set(ports.filter(({ protocol }) => protocol !== 'udp').map(({ port }) => port));
}

function byPrecedence(a: MeshService, b: MeshService): number {
  return Number(a.kind === 'Entry') - Number(b.kind === 'Entry') || byAge(a, b);
}

function count<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): void {
  const number = (counts.get(key) ?? 0) + by;
  if (number === 0) counts.delete(key);
  else counts.set(key, number);
}
