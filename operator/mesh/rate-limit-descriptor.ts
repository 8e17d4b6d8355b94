import type { RateLimit } from '../../api/rate-limit-policy.ts';
import type { ObjectRef } from './object-ref.ts';

/** How sidecars and the operator speak of global limits: what both must spell alike. */

/** Domain of a policy's counts. */
export function rateLimitDomain({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** Key of the entry that names the limit; it is the first. */
export const LIMIT_KEY = 'limit';
/** Key of entries that are there because a match of the limit holds; they say no more than that. */
export const MATCH_KEY = 'match';

/** Key of the entry with the value of a limit's `countBy`, by its place. */
export function countKey(index: number): string {
  return `by${index}`;
}

/** What entries have where an override holds, in order. A caller's identity, as policies write it, is in its certificate a SPIFFE ID. */
export function overrideValues({ countBy = [] }: Pick<RateLimit, 'countBy'>, values: readonly string[]): string[] {
  return values.map((value, place) => (countBy[place]?.kind === 'Caller' ? `spiffe://${value}` : value));
}
