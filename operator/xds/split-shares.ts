import type { HeaderRules, WeightedBackend } from '../mesh/route-rule.ts';
import type { ResolvedBackend } from './http-route-context.ts';
import type { HashPolicy } from './http-route-hashes.ts';

type Used = Pick<WeightedBackend, 'weight'> & Pick<ResolvedBackend, 'split'>;

const NOTHING = { set: [], add: [], remove: [] } as const;

/**
 * What decides on the side of splits, in place of chance. A route has one hash, so of several splits all are decided by it. It comes before what the
 * destination's policy hashes, and where a request has it alone: that would move users from side to side.
 * @param backends with a weight
 */
export function sideHashes(backends: readonly Used[]): HashPolicy[] {
  return backends.flatMap(({ split }) => {
    const hash = split?.terms.stickiness;
    // Who calls is the same for all requests of a route, and has decided already.
    return hash === undefined || hash.kind === 'principal' ? [] : [{ ...hash, terminal: true } as const];
  });
}

/**
 * To which clusters requests are copied, and what part of them. A route copies whatever backend it chose: of several each has its part by weight.
 * @param backends with a weight
 */
export function copiesOf(backends: readonly Used[]): { readonly cluster: string; readonly percent: number }[] {
  const total = backends.reduce((sum, { weight }) => sum + weight, 0);
  return backends.flatMap(({ weight, split }) => {
    if (split === undefined || split.terms.mirror <= 0) return [];
    return [{ cluster: split.next, percent: (split.terms.mirror * weight) / total }];
  });
}

/** What gives an answer a cookie, beside those that the application sets. */
export function cookieRules(setCookie: string | undefined): HeaderRules | undefined {
  if (setCookie === undefined) return undefined;
  // A percent sign begins a command of Envoy's.
  return { request: NOTHING, response: { ...NOTHING, add: [['set-cookie', setCookie.replaceAll('%', '%%')]] } };
}
