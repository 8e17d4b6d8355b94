import { KeySets } from '../mesh/key-sets.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';

/** ExternalName services may name each other; a longer chain, or a ring, resolves to nothing. */
const MAX_HOPS = 8;

/** Which ExternalName services stand for which other services of the mesh (CNAME semantics). */
export class AliasTable {
  private readonly targets = new Map<Hostname, Hostname>();
  private readonly aliases = new KeySets<Hostname, Hostname>();

  /** Takes the newest state of a service; undefined when it is gone. */
  set(hostname: Hostname, service: MeshService | undefined): void {
    const before = this.targets.get(hostname);
    const target = service === undefined ? undefined : aliasTarget(service);
    if (before === target) return;
    if (before !== undefined) {
      this.aliases.delete(before, hostname);
      this.targets.delete(hostname);
    }
    if (target !== undefined) {
      this.aliases.add(target, hostname);
      this.targets.set(hostname, target);
    }
  }

  /** The hostnames and all names that lead to them. */
  withAliases(hostnames: Iterable<Hostname>): Set<Hostname> {
    const found = new Set(hostnames);
    // A set's iterator also visits what is added on the way.
    for (const hostname of found) {
      for (const alias of this.aliases.get(hostname)) found.add(alias);
    }
    return found;
  }

  /** The hostname that a hostname finally stands for: itself, unless it is an ExternalName; undefined where names go round in a ring. */
  target(hostname: Hostname): Hostname | undefined {
    let name = hostname;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const next = this.targets.get(name);
      if (next === undefined) return name;
      name = next;
    }
    return undefined;
  }
}

function aliasTarget(service: MeshService): Hostname | undefined {
  if (service.kind !== 'ExternalName' || service.externalName === undefined) return undefined;
  return service.externalName.toLowerCase().replace(/\.$/, '');
}
