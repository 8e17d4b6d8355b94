import { KeySets } from '../mesh/key-sets.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import { hostDomains, mayNamePods } from './virtual-hosts.ts';

/**
 * Which hostnames have a domain, to whomever. A route configuration may have each domain once, or Envoy refuses all of it; two Services may claim one
 * address all the same, and ServiceEntries any name. Whose it is then is for whoever asks to say: not everybody sees all of them.
 */
export class DomainClaims {
  private readonly claimants = new KeySets<string, Hostname>();
  private readonly claimsOf = new Map<Hostname, ReadonlySet<string>>();

  /**
   * Takes in what a hostname stands for now.
   * @param services all that claim it; none, and no routes: it claims nothing
   * @returns other hostnames with a domain that it has now or had before
   */
  set(hostname: Hostname, services: readonly MeshService[], routed: boolean): Set<Hostname> {
    const before = this.claimsOf.get(hostname);
    const after = routed ? claimsOf(hostname, services) : new Set<string>();
    for (const claim of before ?? []) if (!after.has(claim)) this.claimants.delete(claim, hostname);
    for (const claim of after) this.claimants.add(claim, hostname);
    if (after.size > 0) this.claimsOf.set(hostname, after);
    else this.claimsOf.delete(hostname);
    const rivals = new Set<Hostname>();
    for (const claims of [before, after]) {
      for (const claim of claims ?? []) for (const other of this.claimants.get(claim)) rivals.add(other);
    }
    rivals.delete(hostname);
    return rivals;
  }

  /** Hostnames that may have a domain for clients of a namespace. */
  *of(domain: string, namespace: string): Generator<Hostname> {
    yield* this.claimants.get(domain);
    yield* this.claimants.get(shortName(domain, namespace));
  }
}

/** The hostname itself (routes may be all there is for it), and every name of its services; short ones as those of their namespace. */
function claimsOf(hostname: Hostname, services: readonly MeshService[]): ReadonlySet<string> {
  const claims = new Set<string>([hostname]);
  for (const service of services) {
    for (const prefix of mayNamePods(service) ? ['', '*.'] : ['']) {
      for (const domain of hostDomains(service, 'foreign', prefix)) claims.add(domain);
      if (service.kind !== 'Entry') claims.add(shortName(`${prefix}${service.name}`, service.namespace));
    }
  }
  return claims;
}

function shortName(domain: string, namespace: string): string {
  return `${namespace}/${domain}`;
}
