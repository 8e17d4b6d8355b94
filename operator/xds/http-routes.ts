import { create } from '@bufbuild/protobuf';
import { type Route, RouteSchema } from '../../generated/envoy/envoy/config/route/v3/route_components_pb.js';
import type { HttpRule } from '../mesh/route-rule.ts';
import { buildHeaderMutations } from './header-operations.ts';
import { buildRedirect, buildResponse } from './http-route-answers.ts';
import type { RouteContext } from './http-route-context.ts';
import { buildFilterConfig } from './http-route-filters.ts';
import { buildForward, type Forward } from './http-route-forward.ts';
import { buildRouteMatch } from './http-route-matches.ts';
import { bothMatch, splitRule } from './split-routes.ts';

/**
 * Envoy's routes for rules of HTTP, one for each match of each rule, and of each part into which splits divide it. The same arguments give the same bytes.
 *
 * @param rules in order, already cut down to those that can match this client and port: `port` and `source` of their matches are not looked at. A
 *   rule whose matches are empty matches everything
 */
export function buildHttpRoutes(rules: readonly HttpRule[], context: RouteContext): Route[] {
  return rules.flatMap((rule) => buildRuleRoutes(rule, context));
}

function buildRuleRoutes(rule: HttpRule, context: RouteContext): Route[] {
  const matches = rule.matches.length === 0 ? [undefined] : rule.matches;
  return splitRule(rule, context).flatMap(({ condition, context: own }) => {
    // The routes of a rule share these messages, which nobody alters.
    const shared = {
      name: rule.name || 'default',
      ...buildOutcome(rule, own),
      typedPerFilterConfig: buildFilterConfig(rule),
    };
    return matches.map((match) =>
      create(RouteSchema, { ...shared, match: buildRouteMatch(bothMatch(match, condition)) }),
    );
  });
}

function buildOutcome(rule: HttpRule, context: RouteContext): Forward {
  const { action, headers } = rule;
  switch (action.kind) {
    case 'forward':
      return buildForward(rule, action.backends, context);
    case 'redirect':
      return { ...buildHeaderMutations(headers), action: buildRedirect(action.redirect, context.port) };
    default:
      return { ...buildHeaderMutations(headers), action: buildResponse(action) };
  }
}
