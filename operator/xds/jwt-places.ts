import { create } from '@bufbuild/protobuf';
import type { JwtRule } from '../../api/request-authentication.ts';
import {
  type HeaderMatcher,
  HeaderMatcherSchema,
} from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import { matchExpression, quote } from './rbac-values.ts';

/** Where in a request a token may be: a header (in lower case), a parameter of the query or a cookie. */
export interface TokenPlace {
  readonly kind: 'header' | 'param' | 'cookie';
  readonly name: string;
  /** What stands before it, in a header; '' for nothing. */
  readonly prefix: string;
}

/** Where a rule looks for tokens; by default where Envoy does. */
export function placesOf({ fromHeaders = [], fromParams = [], fromCookies = [] }: JwtRule): TokenPlace[] {
  const places: TokenPlace[] = [
    ...fromHeaders.map(({ name, prefix = '' }) => ({ kind: 'header' as const, name: name.toLowerCase(), prefix })),
    ...fromParams.map((name) => ({ kind: 'param' as const, name, prefix: '' })),
    ...fromCookies.map((name) => ({ kind: 'cookie' as const, name, prefix: '' })),
  ];
  if (places.length > 0) return places;
  return [
    { kind: 'header', name: 'authorization', prefix: 'Bearer ' },
    { kind: 'param', name: 'access_token', prefix: '' },
  ];
}

/** Longest prefixes of one header together, in characters, that go into an expression: Envoy's have a limit (`buildRuntime`). */
const MAX_PREFIXES = 400;

/**
 * Matches requests that have something where a token may be: just those in which Envoy's filter finds one (`ExtractorImpl` in its source).
 * @param prefixes of a header; '' among them: all of it is the token
 */
export function matchPlace(kind: TokenPlace['kind'], name: string, prefixes: readonly string[]): HeaderMatcher {
  if (kind === 'param') return expression(':path', `[^?]*\\?(?:[^&]*&)*${spellings(name)}(?:[=&].*)?`);
  if (kind === 'cookie') return expression('cookie', `(?:.*[;,])? *${quote(name)}=.*`);
  if (!isAny(prefixes)) return expression(name, `.*(?:${prefixes.map(quote).join('|')}).*`);
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'presentMatch', value: true } });
}

/** Matches requests that have more than one of what {@link matchPlace} matches. Envoy would look at the first parameter or cookie of a name alone. */
export function matchRepeated(kind: TokenPlace['kind'], name: string, prefixes: readonly string[]): HeaderMatcher {
  if (kind === 'param') {
    const [one, pairs] = [spellings(name), '(?:[^&]*&)*'];
    return expression(':path', `[^?]*\\?${pairs}${one}(?:=[^&]*)?&${pairs}${one}(?:[=&].*)?`);
  }
  if (kind === 'cookie') return expression('cookie', `(?:.*[;,])? *${quote(name)}=.*[;,] *${quote(name)}=.*`);
  // Headers of one name are joined by commas, of which tokens have none.
  const any = isAny(prefixes) ? '' : `(?:${prefixes.map(quote).join('|')})`;
  return expression(name, `.*${any}.*,.*${any}.*`);
}

/** Whether whatever a header has may be a token. */
function isAny(prefixes: readonly string[]): boolean {
  return prefixes.includes('') || prefixes.join('').length > MAX_PREFIXES;
}

function expression(name: string, regex: string): HeaderMatcher {
  const value = matchExpression(`(?s)${regex}`);
  return create(HeaderMatcherSchema, { name, headerMatchSpecifier: { case: 'stringMatch', value } });
}

/** A parameter's name in any encoding: Envoy decodes names as well. @param name printable ASCII */
function spellings(name: string): string {
  return [...name]
    .map((char) => {
      const [high = '', low = ''] = char.charCodeAt(0).toString(16).padStart(2, '0');
      return `(?:${quote(char)}|%${high}${anyCase(low)})`;
    })
    .join('');
}

const anyCase = (digit: string): string => (digit === digit.toUpperCase() ? digit : `[${digit}${digit.toUpperCase()}]`);
