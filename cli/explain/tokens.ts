import { NO_TOKEN_KEYS } from '../../operator/mesh/jwks.ts';
import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import type { AttachedTokens } from '../../operator/mesh/tokens.ts';
import { isAbout } from '../../operator/xds/inbound-shape.ts';
import { placesOf, type TokenPlace } from '../../operator/xds/jwt-places.ts';
import type { Claims } from './call-facts.ts';
import { cookieOf, type HttpRequest, headerOf, queryOf } from './request.ts';
import { checkToken, type TokenFinding } from './token-check.ts';

/** What RequestAuthentications come to for one request. */
export interface TokenDecision {
  readonly policies: readonly ObjectRef[];
  /** Absent: the request passes. */
  readonly refused?: { readonly policy: ObjectRef; readonly status: 401 | 403; readonly reason: string };
  /** Of the token that policies see; absent: there is none. */
  readonly claims?: Claims;
  /** A token has a signature that could not be verified here. */
  readonly unverified: boolean;
}

interface Taker {
  readonly policy: ObjectRef;
  readonly place: TokenPlace;
  readonly check: (token: string) => TokenFinding;
}

/** Who comes last leaves the claims that policies see (`xds/jwt-filters.ts`). */
const ORDER = ['cookie', 'param', 'header'];
/** Tokens in more places than these a request must not have. */
const MOST_PLACES = 2;
const WORDS = { header: 'header', param: 'parameter', cookie: 'cookie' };

/** @param now seconds since the epoch */
export function decideTokens(
  attached: readonly AttachedTokens[],
  port: number,
  request: HttpRequest,
  now: number,
): TokenDecision {
  const here = attached.filter((one) => isAbout(one, port));
  const policies = here.map(({ rules }) => rules.ref);
  const sites = [...Map.groupBy(takersOf(here, now), ({ place }) => `${WORDS[place.kind]} ${place.name}`)]
    .map(([name, takers]) => ({ name, takers, found: takers.flatMap((taker) => findAt(request, taker)) }))
    .filter(({ found }) => found.length > 0)
    .sort((a, b) => orderOf(a.takers) - orderOf(b.takers));
  const refuse = (policy: ObjectRef | undefined, reason: string, status: 401 | 403 = 401): TokenDecision =>
    policy === undefined
      ? { policies, unverified: false }
      : { policies, unverified: false, refused: { policy, status, reason } };
  const [policy] = policies;
  if (sites.length > MOST_PLACES) return refuse(policy, 'it has tokens in more than two places');
  let claims: Claims | undefined;
  let unverified = false;
  for (const { name, found } of sites) {
    if (found.some(({ repeated }) => repeated)) return refuse(policy, `it has more than one ${name}`);
    const findings = found.map(({ taker, token }) => ({ taker, finding: taker.check(token) }));
    const good = findings.find(({ finding }) => finding.kind !== 'invalid')?.finding;
    if (good === undefined || good.kind === 'invalid') {
      const [bad] = findings;
      const finding = bad?.finding;
      if (finding?.kind === 'invalid')
        return refuse(bad?.taker.policy, `the token in the ${name} is not valid: ${finding.reason}`, finding.status);
      continue;
    }
    claims = good.claims;
    unverified ||= good.kind === 'unverified';
  }
  return { policies, unverified, ...(claims === undefined ? {} : { claims }) };
}

function orderOf([first]: readonly Taker[]): number {
  return ORDER.indexOf(first?.place.kind ?? '');
}

function takersOf(attached: readonly AttachedTokens[], now: number): Taker[] {
  return attached.flatMap(({ rules: { ref, rules }, keys }) =>
    rules.flatMap(({ rule, uri }, index) => {
      const own = keys[index] ?? NO_TOKEN_KEYS;
      // Keys that the operator fetches this machine may not know.
      const isUnknown = uri !== undefined && own.digest === NO_TOKEN_KEYS.digest;
      const check = (token: string) => checkToken(token, rule, isUnknown ? undefined : own.text, now);
      return placesOf(rule).map((place): Taker => ({ policy: ref, place, check }));
    }),
  );
}

/** What stands at a place, as Envoy finds it. */
function findAt(request: HttpRequest, taker: Taker): { taker: Taker; token: string; repeated: boolean }[] {
  const { kind, name, prefix } = taker.place;
  if (kind === 'header') {
    const value = headerOf(request, name);
    if (value === undefined || !value.includes(prefix)) return [];
    const token = value.slice(value.indexOf(prefix) + prefix.length);
    const [own = ''] = /[-_.A-Za-z0-9]+/.exec(token) ?? [];
    return [{ taker, token: prefix === '' ? value : own, repeated: value.includes(',') }];
  }
  if (kind === 'cookie') {
    const token = cookieOf(request, name);
    return token === undefined ? [] : [{ taker, token, repeated: false }];
  }
  const values = queryOf(request.path).filter(([own]) => decoded(own) === name);
  const [first] = values;
  return first === undefined ? [] : [{ taker, token: decoded(first[1]), repeated: values.length > 1 }];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
