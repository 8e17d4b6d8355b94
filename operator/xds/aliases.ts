import type { Map as PersistentMap } from 'immutable';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';

/** ExternalName services may name each other; a longer chain, or a ring, resolves to nothing. */
const MAX_HOPS = 8;

/** Which ExternalName services stand for which other services of the mesh (CNAME semantics). */
export class AliasTable {
  private readonly targets = new Map<Hostname, Hostname>();
  private readonly aliases = new Map<Hostname, Set<Hostname>>();

  /** Takes the newest state of a service; undefined when it is gone. */
  set(hostname: Hostname, service: MeshService | undefined): void {
    const before = this.targets.get(hostname);
    const target = service === undefined ? undefined : aliasTarget(service);
    if (before === target) return;
    if (before !== undefined) {
      const others = this.aliases.get(before);
      others?.delete(hostname);
      if (others?.size === 0) this.aliases.delete(before);
      this.targets.delete(hostname);
    }
    if (target !== undefined) {
      const others = this.aliases.get(target) ?? new Set<Hostname>();
      this.aliases.set(target, others.add(hostname));
      this.targets.set(hostname, target);
    }
  }

  /** The hostnames and all names that lead to them. */
  withAliases(hostnames: Iterable<Hostname>): Set<Hostname> {
    const found = new Set(hostnames);
    // A set's iterator also visits what is added on the way.
    for (const hostname of found) {
      for (const alias of this.aliases.get(hostname) ?? []) found.add(alias);
    }
    return found;
  }

  /** The service a hostname finally stands for: itself, unless it is an ExternalName; undefined when that leads out of the mesh. */
  resolve(hostname: Hostname, services: PersistentMap<Hostname, MeshService>): MeshService | undefined {
    let service = services.get(hostname);
    for (let hop = 0; hop < MAX_HOPS && service?.kind === 'ExternalName'; hop++) {
      const target = this.targets.get(service.hostname);
      service = target === undefined ? undefined : services.get(target);
    }
    return service?.kind === 'ExternalName' ? undefined : service;
  }
}

function aliasTarget(service: MeshService): Hostname | undefined {
  if (service.kind !== 'ExternalName' || service.externalName === undefined) return undefined;
  return service.externalName.toLowerCase().replace(/\.$/, '');
}
