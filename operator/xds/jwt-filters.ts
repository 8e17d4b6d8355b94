import { create } from '@bufbuild/protobuf';
import { NO_KEYS } from '../../api/jwk-set.ts';
import {
  type HeaderMatcher,
  RouteMatchSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import {
  JwtAuthenticationSchema,
  type JwtProvider,
  type JwtRequirement,
  JwtRequirementSchema,
  type RequirementRule,
  RequirementRuleSchema,
} from '../../generated/envoy/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js';
import type { HttpFilter } from '../../generated/envoy/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { buildHttpFilter } from './http-filter.ts';
import type { FilterContext } from './http-filters.ts';
import { matchPlace, matchRepeated, placesOf, type TokenPlace } from './jwt-places.ts';
import { buildProvider, type TokenProvider } from './jwt-providers.ts';
import { JWT_METADATA } from './rbac-principals.ts';

/** A header, parameter or cookie in which tokens may be, and who takes them there. */
interface TokenSite {
  readonly kind: TokenPlace['kind'];
  readonly name: string;
  readonly takers: Map<TokenProvider, TokenPlace[]>;
}

/** Who comes last leaves the claims that policies see, and headers with claims. */
const ORDER = ['cookie', 'param', 'header'];
/** Tokens in more places than these a request must not have. */
const MOST_PLACES = 2;
/** Name of a provider that takes no token. */
const NOBODY = 'nobody';

/**
 * Verifies tokens of end users: a request with one that no rule takes where it is is answered 401 (403, where it is for another audience); claims of a
 * valid one are left for policies. What clients put into headers for claims Envoy removes, of all requests.
 *
 * A request may have tokens in several places, of which each must be valid: the application may look at any. By Istio's requirement, one of the rules or
 * no token, a good token of one rule carries a bad one of another. So there is a rule for each pair of places, then one for each place, by whether there is
 * something in it; tokens in three places, or two in one, are too many.
 */
export function buildJwtFilters({ tokens = [] }: FilterContext): HttpFilter[] {
  if (tokens.length === 0) return [];
  const sites = sitesOf(tokens);
  const providers: Record<string, JwtProvider> = {};
  for (const site of sites) {
    for (const [token, places] of site.takers) providers[nameAt(site, token)] = buildProvider(token, places);
  }
  const repeated = sites.map((site) =>
    buildRule([matchRepeated(site.kind, site.name, prefixesOf(site))], provider(NOBODY)),
  );
  const rules = groupsOf(sites).map((group) =>
    buildRule(
      group.map((site) => matchPlace(site.kind, site.name, prefixesOf(site))),
      group.length > MOST_PLACES ? provider(NOBODY) : allOf(group.map(takenBy)),
    ),
  );
  providers[NOBODY] = buildProvider({ name: NOBODY, rule: {}, keys: NO_KEYS }, []);
  const config = create(JwtAuthenticationSchema, { providers, rules: [...repeated, ...rules] });
  return [buildHttpFilter(JWT_METADATA, JwtAuthenticationSchema, config)];
}

function sitesOf(tokens: readonly TokenProvider[]): TokenSite[] {
  const sites = new Map<string, TokenSite>();
  for (const token of tokens) {
    for (const place of placesOf(token.rule)) {
      const { kind, name } = place;
      const key = `${kind} ${name}`;
      const site = sites.get(key) ?? { kind, name, takers: new Map() };
      sites.set(key, site);
      site.takers.set(token, [...(site.takers.get(token) ?? []), place]);
    }
  }
  return [...sites.values()].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** All triples, then all pairs, then each alone: the first group whose places all have something is the one that counts. */
function groupsOf(sites: readonly TokenSite[]): TokenSite[][] {
  const larger = (groups: readonly TokenSite[][]): TokenSite[][] =>
    groups.flatMap((group) => {
      const last = Math.max(...group.map((site) => sites.indexOf(site)));
      return sites.slice(last + 1).map((site) => [...group, site]);
    });
  const alone = sites.map((site) => [site]);
  const pairs = larger(alone);
  return [...larger(pairs), ...pairs, ...alone];
}

function prefixesOf({ takers }: TokenSite): string[] {
  return [...new Set([...takers.values()].flat().map(({ prefix }) => prefix))];
}

function buildRule(headers: HeaderMatcher[], requires: JwtRequirement): RequirementRule {
  const match = create(RouteMatchSchema, { pathSpecifier: { case: 'prefix', value: '/' }, headers });
  return create(RequirementRuleSchema, { match, requirementType: { case: 'requires', value: requires } });
}

/** One of a site's rules must take the tokens there. */
function takenBy(site: TokenSite): JwtRequirement {
  const [first, ...more] = [...site.takers.keys()].map((token) => provider(nameAt(site, token)));
  if (first === undefined || more.length === 0) return first ?? provider(NOBODY);
  return create(JwtRequirementSchema, {
    requiresType: { case: 'requiresAny', value: { requirements: [first, ...more] } },
  });
}

function allOf(requirements: JwtRequirement[]): JwtRequirement {
  const [first, second] = requirements;
  if (first !== undefined && second === undefined) return first;
  return create(JwtRequirementSchema, { requiresType: { case: 'requiresAll', value: { requirements } } });
}

function provider(value: string): JwtRequirement {
  return create(JwtRequirementSchema, { requiresType: { case: 'providerName', value } });
}

const nameAt = ({ kind, name }: TokenSite, token: TokenProvider): string => `${token.name} ${kind} ${name}`;
