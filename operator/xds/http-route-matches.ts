import { create } from '@bufbuild/protobuf';
import {
  type CookieMatcher,
  CookieMatcherSchema,
  type HeaderMatcher,
  HeaderMatcherSchema,
  type QueryParameterMatcher,
  QueryParameterMatcherSchema,
  type RouteMatch,
  RouteMatchSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HttpMatch, NamedMatch, StringMatch } from '../mesh/route-rule.ts';
import { buildRegexMatcher, buildStringMatcher, valueMatch } from './string-matchers.ts';

/**
 * Envoy's form of a match, but for its `port` and `source`, which say whether a client has the route at all.
 *
 * @param match undefined: every request
 */
export function buildRouteMatch(match?: HttpMatch): RouteMatch {
  if (match === undefined) return create(RouteMatchSchema, { pathSpecifier: pathSpecifier(undefined) });
  return create(RouteMatchSchema, {
    pathSpecifier: pathSpecifier(match.uri),
    // Where it is left out, Envoy takes case into account.
    ...(match.ignoreUriCase ? { caseSensitive: false } : {}),
    headers: [
      ...match.headers.map((header) => buildHeaderMatcher(header)),
      ...match.withoutHeaders.map(buildAbsence),
      ...pseudoHeader(':method', match.method),
      ...pseudoHeader(':authority', match.authority),
      ...pseudoHeader(':scheme', match.scheme),
    ],
    queryParameters: match.queryParams.map(buildQueryMatcher),
    cookies: (match.cookies ?? []).map(buildCookieMatcher),
  });
}

/** Of a cookie that is there twice Envoy looks at the first. */
function buildCookieMatcher({ name, value }: NamedMatch): CookieMatcher {
  // Envoy has no word for a cookie that is just there.
  const wanted = value ?? { kind: 'regex', value: '.*' };
  return create(CookieMatcherSchema, { name, stringMatch: buildStringMatcher(wanted) });
}

/** A prefix is one of text, as in Istio: `/pay` also matches `/payments`. An expression matches the whole path, without the query. */
function pathSpecifier(uri: StringMatch | undefined): RouteMatch['pathSpecifier'] {
  switch (uri?.kind) {
    case 'exact':
      return { case: 'path', value: uri.value };
    case 'prefix':
      return { case: 'prefix', value: uri.value };
    case 'regex':
      return { case: 'safeRegex', value: buildRegexMatcher(uri.value) };
    default:
      return { case: 'prefix', value: '/' };
  }
}

function pseudoHeader(name: string, value: StringMatch | undefined): HeaderMatcher[] {
  return value === undefined ? [] : [buildHeaderMatcher({ name, value })];
}

function buildHeaderMatcher(header: NamedMatch): HeaderMatcher {
  const value = valueMatch(header);
  return create(HeaderMatcherSchema, {
    name: header.name,
    headerMatchSpecifier:
      value === undefined
        ? { case: 'presentMatch', value: true }
        : { case: 'stringMatch', value: buildStringMatcher(value) },
  });
}

/** The header is not there, or says something else. Without a word on missing headers, Envoy would not let requests without it pass. */
function buildAbsence(header: NamedMatch): HeaderMatcher {
  const matcher = buildHeaderMatcher(header);
  matcher.invertMatch = true;
  // Envoy refuses this beside a match of mere presence.
  matcher.treatMissingHeaderAsEmpty = valueMatch(header) !== undefined;
  return matcher;
}

function buildQueryMatcher(parameter: NamedMatch): QueryParameterMatcher {
  const value = valueMatch(parameter);
  return create(QueryParameterMatcherSchema, {
    name: parameter.name,
    queryParameterMatchSpecifier:
      value === undefined
        ? { case: 'presentMatch', value: true }
        : { case: 'stringMatch', value: buildStringMatcher(value) },
  });
}
