import { create } from '@bufbuild/protobuf';
import { limitName, type RateLimit, type RateLimitCount, type RateLimitMatch } from '../../api/rate-limit-policy.ts';
import type { StringMatch } from '../../api/string-match.ts';
import {
  type RateLimit as EnvoyRateLimit,
  type HeaderMatcher,
  HeaderMatcherSchema,
  type RateLimit_Action,
  RateLimit_ActionSchema,
  RateLimitSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { StringMatcher } from '../../generated/envoy/envoy/type/matcher/v3/string_pb.js';
import { countKey, LIMIT_KEY, MATCH_KEY } from '../mesh/rate-limit-descriptor.ts';
import { UNCLEAR_SEGMENT } from './rbac-paths.ts';
import { JWT_METADATA, JWT_PAYLOAD } from './rbac-principals.ts';
import { matchExpression, quote } from './rbac-values.ts';
import { buildStringMatcher } from './string-matchers.ts';

/** What entries of matches say. */
export const MATCHED = 'yes';
/** Value of a count that a request has none for. */
const NO_VALUE = 'none';

/**
 * What requests are counted by, of one limit: for each of its matches the descriptor that a request gets when this match holds and none before it. All
 * these descriptors are the same, so whichever match holds, it is counted once and in one place.
 */
export function buildRateLimitActions(limit: RateLimit, index: number): EnvoyRateLimit[] {
  const { match, countBy = [] } = limit;
  const name = genericKey(LIMIT_KEY, limitName(limit, index));
  const counts = countBy.map((count, place) => genericKey(countKey(place), commandFor(count), NO_VALUE));
  const ways = match?.map((_, way) => match.map((one, place) => matchAction(one, place - way))) ?? [[]];
  return ways.map((matches) => create(RateLimitSchema, { actions: [name, ...matches, ...counts] }));
}

/** @param place before 0: must not match; at 0: must; after: is not looked at */
function matchAction(match: RateLimitMatch, place: number): RateLimit_Action {
  if (place > 0) return genericKey(MATCH_KEY, MATCHED);
  const value = {
    descriptorKey: MATCH_KEY,
    descriptorValue: MATCHED,
    expectMatch: place === 0,
    headers: headers(match),
  };
  return create(RateLimit_ActionSchema, { actionSpecifier: { case: 'headerValueMatch', value } });
}

/** @param value text, or a command of Envoy for what a request has (needs `proxy/runtime.ts`) */
function genericKey(descriptorKey: string, descriptorValue: string, defaultValue = ''): RateLimit_Action {
  const value = { descriptorKey, descriptorValue, defaultValue };
  return create(RateLimit_ActionSchema, { actionSpecifier: { case: 'genericKey', value } });
}

function commandFor({ kind, name = '' }: RateLimitCount): string {
  if (kind === 'Caller') return '%DOWNSTREAM_PEER_URI_SAN%';
  if (kind === 'Header') return `%REQ(${name})%`;
  return `%DYNAMIC_METADATA(${[JWT_METADATA, JWT_PAYLOAD, ...name.split('.')].join(':')})%`;
}

function headers({ uri, method, authority, headers: named = {} }: RateLimitMatch): HeaderMatcher[] {
  return [
    ...(uri === undefined ? [] : [matchPath(uri)]),
    ...(method === undefined ? [] : [matchHeader(':method', method)]),
    ...(authority === undefined ? [] : [matchHeader(':authority', authority)]),
    ...Object.entries(named).map(([name, one]) => matchHeader(name, one)),
  ];
}

/**
 * The header has the query, too. A path that is another one for some servers counts as one that every limit of paths is about, or a caller would get past by
 * writing it so (see `UNCLEAR_SEGMENT`).
 */
function matchPath({ exact, prefix = '/' }: NonNullable<RateLimitMatch['uri']>): HeaderMatcher {
  if (exact === undefined && prefix === '/') return matchHeader(':path', { prefix });
  const wanted = exact === undefined ? `${quote(prefix)}.*` : `${quote(exact)}(?:\\?.*)?`;
  return headerMatcher(':path', matchExpression(`(?s)${wanted}|[^?]*${UNCLEAR_SEGMENT}.*`));
}

function matchHeader(name: string, { exact, prefix, regex }: StringMatch): HeaderMatcher {
  if (exact !== undefined) return headerMatcher(name, buildStringMatcher({ kind: 'exact', value: exact }));
  if (prefix !== undefined) return headerMatcher(name, buildStringMatcher({ kind: 'prefix', value: prefix }));
  if (regex !== undefined) return headerMatcher(name, buildStringMatcher({ kind: 'regex', value: regex }));
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'presentMatch', value: true } });
}

function headerMatcher(name: string, value: StringMatcher): HeaderMatcher {
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'stringMatch', value } });
}
