import { z } from 'zod';
import { type Findings, isDnsLabel } from './field-check.ts';
import {
  checkDirectResponse,
  checkRedirect,
  checkRewrite,
  httpDirectResponse,
  httpRedirect,
  httpRewrite,
} from './http-answer.ts';
import { checkCors, corsPolicy } from './http-cors.ts';
import { checkRouteDestinations, httpRouteDestination } from './http-destination.ts';
import { checkFault, httpFault } from './http-fault.ts';
import { checkAuthorityOnce, checkHeaders, headers } from './http-headers.ts';
import { checkHttpMatch, httpMatch } from './http-match.ts';
import { checkMirrors, mirrorFields } from './http-mirror.ts';
import { checkRetry, httpRetry } from './http-retry.ts';
import { checkDuration } from './istio-duration.ts';

/** Istio's HTTPRoute: one rule of a VirtualService. */
export const httpRoute = z.object({
  name: z.string().optional().describe('Name of the rule, for people.'),
  match: z
    .array(httpMatch)
    .optional()
    .describe('Conditions, one of which must hold. Without any, the rule takes every request.'),
  route: z.array(httpRouteDestination).optional().describe('Where requests go, by weight.'),
  redirect: httpRedirect.optional().describe('Answer that sends the caller elsewhere.'),
  directResponse: httpDirectResponse.optional().describe('Answer that the sidecar gives itself.'),
  delegate: z
    .object({
      name: z.string().optional().describe('Name of the VirtualService.'),
      namespace: z.string().optional().describe('Its namespace, where it is another.'),
    })
    .optional()
    .describe('VirtualService without hosts whose rules stand in for this one.'),
  rewrite: httpRewrite.optional().describe('What is changed in path and host before a request goes on.'),
  timeout: z.string().optional().describe('How long the whole request may take, tries included. Without it: any time.'),
  retries: httpRetry.optional().describe("What is tried again. Without it: Istio's default policy."),
  fault: httpFault.optional().describe('Faults to inject.'),
  ...mirrorFields,
  corsPolicy: corsPolicy.optional().describe('What scripts of other origins may do.'),
  headers: headers.optional().describe('What is done to headers.'),
});

export type HttpRoute = z.infer<typeof httpRoute>;

/** What the VirtualService says about a rule of it. */
export interface RuleContext {
  /** The VirtualService has no hosts: others delegate to it. */
  readonly inDelegate: boolean;
  /** Some gateway other than the sidecars takes the VirtualService. */
  readonly atGateway: boolean;
}

/**
 * Reports what can't be right about a rule.
 * @param field its path, as in `spec.http[0]`
 */
export function checkHttpRoute(found: Findings, field: string, rule: HttpRoute, context: RuleContext): void {
  checkAction(found, field, rule, context);
  const delegated = context.inDelegate || rule.delegate !== undefined;
  for (const [index, match] of (rule.match ?? []).entries()) {
    const atGateway = context.atGateway || (match.gateways ?? []).some((gateway) => gateway !== 'mesh');
    checkHttpMatch(found, `${field}.match[${index}]`, match, { delegated, atGateway });
  }
  checkParts(found, field, rule);
}

function checkParts(found: Findings, field: string, rule: HttpRoute): void {
  if (rule.route !== undefined) checkRouteDestinations(found, `${field}.route`, rule.route);
  if (rule.redirect !== undefined) checkRedirect(found, `${field}.redirect`, rule.redirect);
  if (rule.directResponse !== undefined) checkDirectResponse(found, `${field}.directResponse`, rule.directResponse);
  if (rule.rewrite !== undefined) checkRewrite(found, `${field}.rewrite`, rule.rewrite);
  checkDuration(found, `${field}.timeout`, rule.timeout);
  if (rule.retries !== undefined) checkRetry(found, `${field}.retries`, rule.retries, rule.timeout);
  if (rule.fault !== undefined) checkFault(found, `${field}.fault`, rule.fault);
  checkMirrors(found, field, rule);
  if (rule.corsPolicy !== undefined) checkCors(found, `${field}.corsPolicy`, rule.corsPolicy);
  if (rule.headers !== undefined) checkHeaders(found, `${field}.headers`, rule.headers);
  checkAuthorityOnce(found, field, rule.rewrite?.authority, rule.headers);
}

/** A rule does one of four things with a request, and what changes a request on its way makes no sense where it has none. */
function checkAction(found: Findings, field: string, rule: HttpRoute, { inDelegate }: RuleContext): void {
  const actions = (['route', 'redirect', 'directResponse', 'delegate'] as const).filter((name) =>
    name === 'route' ? (rule.route ?? []).length > 0 : rule[name] !== undefined,
  );
  if (actions.length === 0)
    found.error(field, 'must have one of route, redirect, directResponse and delegate; write one');
  if (actions.length > 1) found.error(field, `must have one of ${actions.join(' and ')}; keep one`);
  if (rule.delegate !== undefined) checkDelegate(found, `${field}.delegate`, rule.delegate, inDelegate);
  const answer = rule.redirect === undefined ? 'directResponse' : 'redirect';
  if (rule[answer] === undefined) return;
  if (rule.rewrite !== undefined) found.error(`${field}.rewrite`, `must not stand beside ${answer}; leave it out`);
  if (rule.redirect !== undefined && rule.fault !== undefined)
    found.error(`${field}.fault`, 'must not stand beside redirect; leave it out');
  for (const name of ['timeout', 'retries', 'mirror', 'mirrors'] as const) {
    if (rule[name] !== undefined) found.warn(`${field}.${name}`, `has no effect beside ${answer}`);
  }
}

function checkDelegate(
  found: Findings,
  field: string,
  { name, namespace }: NonNullable<HttpRoute['delegate']>,
  inDelegate: boolean,
): void {
  if (inDelegate) found.error(field, 'must be left out, as this VirtualService has no hosts and is a delegate itself');
  if (!name) found.error(`${field}.name`, 'must be the name of a VirtualService');
  if (namespace && !isDnsLabel(namespace))
    found.error(`${field}.namespace`, `must be the name of a namespace, and is "${namespace}"`);
}
