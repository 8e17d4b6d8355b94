import { KeySets } from '../mesh/key-sets.ts';
import type { Hostname, MeshService } from '../mesh/snapshot.ts';
import { hostDomains, mayNamePods } from './virtual-hosts.ts';

/**
 * Which hostnames have a domain, to whomever. A route configuration may have each domain once, or Envoy refuses all of it; two Services may claim one
 * address all the same, and ServiceEntries any name. Whose it is then is for whoever asks to say: not everybody sees all of them.
 */
export class DomainClaims {
  private readonly claimants = new KeySets<string, Hostname>();
  /** Hostname → number of its claims that others have, too. */
  private readonly contests = new Map<Hostname, number>();
  /** Claims that look like a short name and are none. */
  private dotless = 0;
  private readonly claimsOf = new Map<Hostname, ReadonlySet<string>>();

  /**
   * Takes in what a hostname stands for now.
   * @param services all that claim it; none, and no routes: it claims nothing
   * @returns other hostnames with a domain that it has now or had before
   */
  set(hostname: Hostname, services: readonly MeshService[], routed: boolean): Set<Hostname> {
    const before = this.claimsOf.get(hostname);
    const after = routed ? claimsOf(hostname, services) : new Set<string>();
    for (const claim of before ?? []) if (!after.has(claim)) this.drop(claim, hostname);
    for (const claim of after) if (before?.has(claim) !== true) this.claim(claim, hostname);
    if (after.size > 0) this.claimsOf.set(hostname, after);
    else this.claimsOf.delete(hostname);
    const rivals = new Set<Hostname>();
    for (const claims of [before, after]) {
      for (const claim of claims ?? []) for (const other of this.claimants.get(claim)) rivals.add(other);
    }
    rivals.delete(hostname);
    return rivals;
  }

  /** Whether another hostname may have one of its domains: `of` need not be asked otherwise. */
  isContested(hostname: Hostname): boolean {
    // A short name is a domain in its own namespace alone, and so another's in none unless that has no dot.
    return this.contests.has(hostname) || this.dotless > 0;
  }

  /** Hostnames that may have a domain for clients of a namespace. */
  *of(domain: string, namespace: string): Generator<Hostname> {
    yield* this.claimants.get(domain);
    yield* this.claimants.get(shortName(domain, namespace));
  }

  /** Whether a hostname may have a domain that a wildcard covers. @param pattern `*` and what domains end with */
  mayHaveUnder(hostname: Hostname, pattern: string): boolean {
    const end = pattern.slice(1);
    for (const claim of this.claimsOf.get(hostname) ?? []) if (claim.endsWith(end)) return true;
    return false;
  }

  private claim(claim: string, hostname: Hostname): void {
    const others = this.claimants.get(claim);
    if (others.size > 0) this.contest(hostname, 1);
    if (others.size === 1) for (const other of others) this.contest(other, 1);
    this.claimants.add(claim, hostname);
    if (isDotless(claim)) this.dotless += 1;
  }

  private drop(claim: string, hostname: Hostname): void {
    this.claimants.delete(claim, hostname);
    const others = this.claimants.get(claim);
    if (others.size > 0) this.contest(hostname, -1);
    if (others.size === 1) for (const other of others) this.contest(other, -1);
    if (isDotless(claim)) this.dotless -= 1;
  }

  private contest(hostname: Hostname, by: 1 | -1): void {
    const count = (this.contests.get(hostname) ?? 0) + by;
    if (count === 0) this.contests.delete(hostname);
    else this.contests.set(hostname, count);
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

function isDotless(claim: string): boolean {
  return !/[./:*]/.test(claim);
}
