import { VIRTUAL_SERVICE_KIND } from '../../api/virtual-service.ts';
import { objectKey } from './object-ref.ts';
import type { RouteRule } from './route-rule.ts';
import type { Problem } from './snapshot.ts';
import type { MeshTables } from './tables.ts';
import { mergeDelegate, type PlacedRule } from './virtual-service-delegate.ts';
import type { VirtualServiceFacts } from './virtual-service-facts.ts';
import { buildHttpRule } from './virtual-service-http.ts';
import { takesAll } from './virtual-service-match-key.ts';

/** More problems with delegates are counted only. */
const MAX_PROBLEMS = 8;

/** What a VirtualService comes to. */
export interface BuiltRoutes {
  readonly rule: RouteRule;
  /** Its HTTP rules, which are those of the rule, and where they come from. */
  readonly http: readonly PlacedRule[];
  /** What is wrong with its delegates. */
  readonly problems: readonly Problem[];
}

/** Builds the routes of VirtualServices for one snapshot, of each but once. */
export class RouteBuilder {
  readonly #tables: MeshTables;
  readonly #built = new Map<string, BuiltRoutes>();

  constructor(tables: MeshTables) {
    this.#tables = tables;
  }

  /** @returns undefined when it routes nothing itself */
  build(facts: VirtualServiceFacts): BuiltRoutes | undefined {
    if (facts.role !== 'routes') return undefined;
    const known = this.#built.get(facts.key);
    if (known !== undefined) return known;
    const built = this.#build(facts);
    this.#built.set(facts.key, built);
    return built;
  }

  #build(facts: VirtualServiceFacts): BuiltRoutes {
    const { ref, createdAt, hosts, visibility, tls, tcp } = facts;
    const { http, problems } = this.#buildHttp(facts);
    const rule: RouteRule = {
      object: ref,
      key: objectKey(ref),
      createdAt,
      hosts,
      visibility,
      delegates: facts.delegates.map((key) => `${VIRTUAL_SERVICE_KIND}/${key}`).sort(),
      http: http.map((placed) => placed.rule),
      tls: tls.map(({ matches, backends }) => ({ matches, backends })),
      tcp: tcp.map(({ matches, backends }) => ({ matches, backends })),
    };
    return { rule, http, problems };
  }

  #buildHttp(facts: VirtualServiceFacts): Pick<BuiltRoutes, 'http' | 'problems'> {
    const http: PlacedRule[] = [];
    const problems: Problem[] = [];
    let more = 0;
    // What comes after a rule that takes everything is never reached, and must not be once rules of others are merged in.
    let open = true;
    const add = (placed: PlacedRule) => {
      if (open) http.push(placed);
      open &&= !takesAll(placed.rule.matches);
    };
    for (const rule of facts.http) {
      const { field, name, matches, action, settings } = rule;
      if (action.kind !== 'delegate') {
        add({ field, rule: buildHttpRule(name, matches, action, settings) });
        continue;
      }
      const { rules, problem } = mergeDelegate(facts, rule, action.to, this.#tables.virtualServices.get(action.to));
      for (const placed of rules) add(placed);
      if (problem === undefined) continue;
      const message = `${field}.delegate: ${problem}`;
      if (problems.length === MAX_PROBLEMS) more++;
      else problems.push({ object: facts.ref, condition: 'Accepted', reason: 'DelegateInvalid', message });
    }
    const last = problems.at(-1);
    if (more === 0 || last === undefined) return { http, problems };
    const counted = { ...last, message: `${last.message} ${more} more delegates can't be used.` };
    return { http, problems: [...problems.slice(0, -1), counted] };
  }
}
