import { byAge } from './mesh-object.ts';
import type { Hostname, Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { nameSome } from './virtual-service-delegate.ts';
import type { VirtualServiceFacts } from './virtual-service-facts.ts';
import { httpMatchKeys, takesAll, tcpMatchKeys, tlsMatchKeys } from './virtual-service-match-key.ts';
import type { RouteBuilder } from './virtual-service-routes.ts';
import type { Visibility } from './visibility.ts';

/** A match of a younger VirtualService that an older one has for the same host, before clients that see both. */
interface Loss {
  readonly field: string;
  readonly host: Hostname;
  readonly winner: string;
}

/** Who was the first to take a match. */
interface Claimant {
  readonly age: number;
  readonly key: string;
}

/** Finds out which VirtualServices are in each other's way, for one snapshot. All that share a host are looked at together, and but once. */
export class ConflictFinder {
  readonly #tables: MeshTables;
  readonly #routes: RouteBuilder;
  /** Host → key of a VirtualService → what it loses. */
  readonly #losses = new Map<Hostname, ReadonlyMap<string, readonly Loss[]>>();

  constructor(tables: MeshTables, routes: RouteBuilder) {
    this.#tables = tables;
    this.#routes = routes;
  }

  /** What a VirtualService loses to older ones, as one problem about the first of these. */
  find({ key, ref, hosts }: VirtualServiceFacts): Problem[] {
    const losses = hosts.flatMap((host) => this.#lossesOn(host).get(key) ?? []);
    const [first] = losses;
    if (first === undefined) return [];
    const same = losses.filter(({ host, winner }) => host === first.host && winner === first.winner);
    const fields = [...new Set(same.map(({ field }) => field))];
    const rest = losses.length - same.length;
    const more = rest === 0 ? '' : ` In ${rest} more ${rest === 1 ? 'place' : 'places'} an older one is in the way.`;
    const message =
      `${nameSome(fields)}: VirtualService ${first.winner} is older and has a rule for the same requests to ${first.host}; ` +
      `its rule is used. Give this one another match, or keep one of the two rules.${more}`;
    return [{ object: ref, condition: 'Conflicted', reason: 'OlderVirtualService', message }];
  }

  #lossesOn(host: Hostname): ReadonlyMap<string, readonly Loss[]> {
    const known = this.#losses.get(host);
    if (known !== undefined) return known;
    const losses = this.#judge(host);
    this.#losses.set(host, losses);
    return losses;
  }

  #judge(host: Hostname): ReadonlyMap<string, readonly Loss[]> {
    const losses = new Map<string, Loss[]>();
    const rivals = this.#tables.virtualServices.find('host', host);
    if (rivals.size < 2) return losses;
    const claims = { http: new Map<string, Claims>(), tls: new Map<string, Claims>(), tcp: new Map<string, Claims>() };
    const sorted = [...this.#tables.virtualServices.select('host', host)].sort(byAge);
    for (const [age, facts] of sorted.entries()) {
      const claimant = { age, key: facts.key };
      const lost: Loss[] = [];
      const take = (protocol: keyof typeof claims, field: string, match: string): void => {
        const claim = claims[protocol].get(match) ?? new Claims();
        claims[protocol].set(match, claim);
        const winner = claim.first(facts.visibility);
        if (winner !== undefined && winner.key !== facts.key) lost.push({ field, host, winner: winner.key });
        claim.add(facts.visibility, claimant);
      };
      this.#takeHttp(facts, (field, match) => take('http', field, match));
      for (const { field, matches } of facts.tls) for (const key of tlsMatchKeys(matches)) take('tls', field, key);
      for (const { field, matches } of facts.tcp) for (const key of tcpMatchKeys(matches)) take('tcp', field, key);
      if (lost.length > 0) losses.set(facts.key, lost);
    }
    return losses;
  }

  #takeHttp(facts: VirtualServiceFacts, take: (field: string, match: string) => void): void {
    if (facts.delegates.length > 0) {
      for (const { field, rule } of this.#routes.build(facts)?.http ?? []) {
        for (const key of httpMatchKeys(rule.matches)) take(field, key);
      }
      return;
    }
    // Most have no delegates, and their rules need not be built for this.
    for (const { field, matches } of facts.http) {
      for (const key of httpMatchKeys(matches)) take(field, key);
      if (takesAll(matches)) return;
    }
  }
}

/** The oldest claimants of one match; a look-up costs as much as its visibility is long, however many claim it. */
class Claims {
  #any: Claimant | undefined;
  #everywhere: Claimant | undefined;
  #namespaces: Map<string, Claimant> | undefined;

  /** The oldest that some client sees together with an object of this visibility. */
  first(visibility: Visibility): Claimant | undefined {
    if (visibility === '*') return this.#any;
    let first = visibility.length === 0 ? undefined : this.#everywhere;
    for (const namespace of visibility) {
      const claimant = this.#namespaces?.get(namespace);
      if (claimant !== undefined && claimant.age < (first?.age ?? Number.POSITIVE_INFINITY)) first = claimant;
    }
    return first;
  }

  /** Adds one that is no older than those before. */
  add(visibility: Visibility, claimant: Claimant): void {
    if (visibility.length === 0) return;
    this.#any ??= claimant;
    if (visibility === '*') {
      this.#everywhere ??= claimant;
      return;
    }
    this.#namespaces ??= new Map();
    for (const namespace of visibility) {
      if (!this.#namespaces.has(namespace)) this.#namespaces.set(namespace, claimant);
    }
  }
}
