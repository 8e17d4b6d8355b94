import type { HttpMatch, HttpRule } from '../mesh/route-rule.ts';
import type { DestinationSplit, Share } from './destination.ts';
import type { ResolvedBackend, RouteContext } from './http-route-context.ts';

/** Some of a rule's requests, and where they go. */
export interface RuleVariant {
  /** What they have, beside what the rule matches; absent: all the rest. */
  readonly condition?: HttpMatch;
  readonly context: RouteContext;
}

/**
 * Splits of one rule that are looked at, and the parts that they may come to: each split multiplies the routes by its conditions. A rule with more is rare,
 * and its others have shares alone.
 */
const MOST_SPLITS = 3;
const MOST_PARTS = 1000;

const ANYTHING: HttpMatch = { ignoreUriCase: false, headers: [], withoutHeaders: [], queryParams: [] };

/**
 * Divides a rule's requests by the splits of its backends: those that a Canary matches or that have the cookie of a side go to that side, as far as they
 * would have gone to that backend, and the rest by the shares. The first whose condition holds is it, so the last has none.
 */
export function splitRule({ action }: HttpRule, context: RouteContext): RuleVariant[] {
  if (action.kind !== 'forward') return [{ context }];
  const splits = new Map<string, DestinationSplit>();
  for (const backend of action.backends) {
    const split = backend.weight > 0 ? context.resolve(backend).split : undefined;
    // Subsets of a service have the same terms.
    if (split !== undefined && splits.size < MOST_SPLITS) splits.set(split.canary, split);
  }
  return [...splits.values()].reduce<RuleVariant[]>(divide, [{ context }]);
}

/** The requests that all of both hold for; undefined: no condition. */
export function bothMatch(one: HttpMatch | undefined, other: HttpMatch | undefined): HttpMatch | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    ...one,
    headers: [...one.headers, ...other.headers],
    withoutHeaders: [...one.withoutHeaders, ...other.withoutHeaders],
    queryParams: [...one.queryParams, ...other.queryParams],
    cookies: [...(one.cookies ?? []), ...(other.cookies ?? [])],
  };
}

function divide(variants: RuleVariant[], split: DestinationSplit): RuleVariant[] {
  const sides = pins(split);
  if ((sides.length + 1) * variants.length > MOST_PARTS) return variants;
  const pinned = sides.flatMap(({ condition, side }) =>
    variants.map((variant) => {
      const both = bothMatch(variant.condition, condition);
      return { ...(both && { condition: both }), context: pin(variant.context, split, side) };
    }),
  );
  return [...pinned, ...variants];
}

type Side = 'stable' | 'next';

function pins({ terms }: DestinationSplit): { readonly condition: HttpMatch; readonly side: Side }[] {
  const { matches, nextCookie, stableCookie } = terms;
  return [
    ...matches.map((condition) => ({ condition, side: 'next' as const })),
    ...(nextCookie === undefined ? [] : [{ condition: hasCookie(nextCookie), side: 'next' as const }]),
    ...(stableCookie === undefined ? [] : [{ condition: hasCookie(stableCookie), side: 'stable' as const }]),
  ];
}

function hasCookie({ name, value }: { readonly name: string; readonly value: string }): HttpMatch {
  return { ...ANYTHING, cookies: [{ name, value: { kind: 'exact', value } }] };
}

/** Sends what goes to the backends of a Canary to one side; who is there already is given no cookie, and none of its requests is copied. */
function pin(context: RouteContext, { canary }: DestinationSplit, side: Side): RouteContext {
  return {
    port: context.port,
    mirrorCluster: (backend) => context.mirrorCluster(backend),
    resolve: (backend): ResolvedBackend => {
      const { split, ...resolved } = context.resolve(backend);
      if (split === undefined) return resolved;
      if (split.canary !== canary) return { ...resolved, split };
      const shares: readonly Share[] = [{ cluster: split[side], weight: 100 }];
      return { ...resolved, shares };
    },
  };
}
