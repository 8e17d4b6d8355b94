import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import type { HttpMatch, HttpRule, RouteRule, WeightedBackend } from '../../operator/mesh/route-rule.ts';
import type { RouteContext } from '../../operator/xds/http-route-context.ts';
import { multiplyShares } from '../../operator/xds/http-route-shares.ts';
import { bothMatch, splitRule } from '../../operator/xds/split-routes.ts';
import { sideHashes } from '../../operator/xds/split-shares.ts';
import { mismatchOf } from './http-match.ts';
import type { FoundHost } from './outbound-view.ts';
import type { HttpRequest } from './request.ts';
import { sentRequest } from './sent-request.ts';

/** A rule that was looked at before, and why it is not this request's. */
export interface PassedRule {
  readonly object?: ObjectRef;
  readonly rule: string;
  readonly mismatches: readonly string[];
}

/** Where a part of a rule's requests goes. */
export interface RouteShare {
  /** Of the rule's requests, 0 to 100. */
  readonly percent: number;
  readonly cluster: string;
  readonly backend: WeightedBackend;
  /** As it is sent on. */
  readonly request: HttpRequest;
}

/** The rule that a request falls under. */
export interface RouteChoice {
  /** Host whose routes these are. */
  readonly hostname: string;
  /** The VirtualService; absent: there are no routes for the host, and its service gets all. */
  readonly object?: ObjectRef;
  readonly rule: HttpRule;
  /** Name of the rule, or its place in the list, from 0. */
  readonly name: string;
  /** A Canary's condition put the request on one side. */
  readonly pinned: boolean;
  readonly shares: readonly RouteShare[];
}

/** The rule that decides, and those before it. */
export interface RouteSearch {
  /** Absent: none matches. */
  readonly choice?: RouteChoice;
  readonly passed: readonly PassedRule[];
}

/**
 * Finds the rule for a request: the first that matches.
 * @param request with its path normalised
 */
export function chooseRoute(host: FoundHost, request: HttpRequest, resolution: RouteContext): RouteSearch {
  const passed: PassedRule[] = [];
  for (const rule of host.rules) {
    const { object, name } = originOf(rule, host.objects);
    const matches = rule.matches.length === 0 ? [undefined] : rule.matches;
    const mismatches = new Set<string>();
    for (const { condition, context } of splitRule(rule, resolution)) {
      for (const match of matches) {
        const both = bothMatch(match, condition);
        const mismatch = both && mismatchOf(both, request);
        if (mismatch === undefined) {
          const shares = sharesOf(rule, match, request, context);
          const { hostname } = host;
          const choice = { hostname, ...(object && { object }), rule, name, pinned: condition !== undefined, shares };
          return { choice, passed };
        }
        if (condition === undefined) mismatches.add(mismatch);
      }
    }
    passed.push({ ...(object && { object }), rule: name, mismatches: [...mismatches] });
  }
  return { passed };
}

function sharesOf(
  rule: HttpRule,
  match: HttpMatch | undefined,
  request: HttpRequest,
  context: RouteContext,
): RouteShare[] {
  if (rule.action.kind !== 'forward') return [];
  const { backends } = rule.action;
  const resolved = backends.map((backend) => ({ ...backend, ...context.resolve(backend) }));
  const hashed = sideHashes(resolved.filter(({ weight }) => weight > 0)).length > 0;
  const shares = multiplyShares(resolved, ({ shares }) => shares, hashed);
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  return shares.map(({ cluster, weight, backend }) => ({
    percent: (100 * weight) / total,
    cluster,
    backend,
    request: sentRequest(request, rule, match, backend, backends.length === 1),
  }));
}

/** Rules may be cut down to the matches of one client, but what they do is the same object. */
function originOf({ name, action }: HttpRule, objects: readonly RouteRule[]): { object?: ObjectRef; name: string } {
  for (const { object, http } of objects) {
    const index = http.findIndex((one) => one.action === action);
    if (index >= 0) return { object, name: name || `http[${index}]` };
  }
  return { name: name || 'default' };
}
