import { create } from '@bufbuild/protobuf';
import type { AuthorizationRule } from '../../api/authorization-policy.ts';
import { httpOnlyFields } from '../../api/authorization-policy-judgement.ts';
import { authorizerOf } from '../../api/extension-provider.ts';
import {
  type Policy,
  PolicySchema,
  type RBAC,
  RBAC_Action,
  RBACSchema,
} from '../../generated/envoy/envoy/config/rbac/v3/rbac_pb.js';
import { dryRunToken } from '../../proxy/names.ts';
import type { AttachedPolicy, AuthorizationRules } from '../mesh/authorization.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';
import { isAbout } from './inbound-shape.ts';
import { translateConditions } from './rbac-conditions.ts';
import { permissions, principals } from './rbac-logic.ts';
import { translateOperation } from './rbac-permissions.ts';
import { translateSource } from './rbac-principals.ts';

/** What carries the rules: requests, or connections of which only the bytes are known. */
export type Carrier = 'http' | 'tcp';

/** A filter's part in authorization. */
export interface Authorization {
  readonly rules: RBAC;
  /** Of a policy in dry run: how its counters begin; the rules decide nothing. */
  readonly dryRun?: string;
}

type Action = AuthorizationRules['action'];

/** Of CUSTOM what is asked about is looked for as what is denied would be. */
const ACTIONS = {
  AUDIT: RBAC_Action.LOG,
  CUSTOM: RBAC_Action.DENY,
  DENY: RBAC_Action.DENY,
  ALLOW: RBAC_Action.ALLOW,
} as const;

/**
 * What becomes of requests that a policy's rules match: where nobody can be asked, CUSTOM denies.
 * @param port undefined: a port that nobody declared
 */
export function actionOf(
  { rules, authorizer, asksItselfAt = [] }: AttachedPolicy,
  port: number | undefined,
  carrier: Carrier,
): Action {
  if (rules.action !== 'CUSTOM') return rules.action;
  if (port !== undefined && asksItselfAt.includes(port)) return 'DENY';
  const isAsked =
    authorizer !== undefined && (carrier === 'http' || authorizerOf(authorizer.provider).protocol === 'grpc');
  return isAsked ? 'CUSTOM' : 'DENY';
}

/**
 * What of AuthorizationPolicies holds for a port without asking anybody, in order: AUDIT, which decides nothing, DENY, ALLOW. Where there is an ALLOW
 * policy, what none of them matches is denied.
 * @param port undefined: a port that nobody declared
 */
export function buildAuthorization(
  attached: readonly AttachedPolicy[],
  port: number | undefined,
  carrier: Carrier,
): Authorization[] {
  const here = attached.filter((one) => isAbout(one, port));
  const inForce = here.filter(({ rules }) => !rules.dryRun);
  const dry = here.map(({ rules }) => rules).filter(({ dryRun, action }) => dryRun && isCounted(action));
  const all: Authorization[] = [];
  for (const action of ['AUDIT', 'DENY', 'ALLOW'] as const) {
    const policies = inForce.filter((one) => actionOf(one, port, carrier) === action).map(({ rules }) => rules);
    const built = buildRbac(action, policies, carrier);
    // An ALLOW policy without rules allows nothing, which is something.
    if (policies.length > 0 && (action === 'ALLOW' || Object.keys(built.policies).length > 0))
      all.push({ rules: built });
  }
  const allowed = inForce.map(({ rules }) => rules).filter(({ action }) => action === 'ALLOW');
  return [...dry.map((one) => buildDryRun(one, allowed, carrier)), ...all];
}

/** Whether it is counted what a policy in dry run would do: not of one that does nothing, and not of one that asks. */
function isCounted(action: Action): boolean {
  return action === 'ALLOW' || action === 'DENY';
}

/** What a policy would come to were it in force: of ALLOW policies, beside the others that are. */
function buildDryRun(
  policy: AuthorizationRules,
  allowed: readonly AuthorizationRules[],
  carrier: Carrier,
): Authorization {
  const { action, ref } = policy;
  const policies = action === 'ALLOW' ? [policy, ...allowed] : [policy];
  return { rules: buildRbac(action, policies, carrier), dryRun: dryRunToken(ref.namespace, ref.name) };
}

/** How the names of a policy's rules begin, by which Envoy tells which one denied; the number of the rule and a bracket follow. */
export function rulesName({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string {
  return `ns[${namespace}]-policy[${name}]-rule[`;
}

/** The rules of policies of one action. Names of the rules begin with `ns[`. */
export function buildRbac(action: Action, policies: readonly AuthorizationRules[], carrier: Carrier): RBAC {
  const built: Record<string, Policy> = {};
  for (const { ref, rules } of policies) {
    for (const [index, rule] of rules.entries()) {
      const policy = translateRule(rule, ref.namespace, action, carrier);
      if (policy !== undefined) built[`${rulesName(ref)}${index}]`] = policy;
    }
  }
  return create(RBACSchema, { action: ACTIONS[action], policies: built });
}

/**
 * One rule. On connections, where nobody knows what a request is, what only requests have can't be met: there a rule that allows matches nothing, and
 * one that denies or asks matches without it, so that neither lets through what was not meant to be (Istio).
 */
function translateRule(
  { from, to, when = [] }: AuthorizationRule,
  namespace: string,
  action: Action,
  carrier: Carrier,
): Policy | undefined {
  const isHttp = carrier === 'http';
  const stops = action === 'DENY' || action === 'CUSTOM';
  const ofRequests = isHttp ? [] : httpOnlyFields({ from, to, when });
  if (ofRequests.length > 0 && !stops) return undefined;
  const conditions = translateConditions(
    when.filter(({ key }) => !ofRequests.includes(key)),
    namespace,
    stops,
  );
  const sources = (from ?? [{}]).map(({ source = {} }) => translateSource(source, namespace, isHttp));
  const operations = (to ?? [{}]).map(({ operation = {} }) => translateOperation(operation, isHttp, stops));
  return create(PolicySchema, {
    principals: sources.map((source) => principals.and([...source, ...conditions.principals])),
    permissions: operations.map((operation) => permissions.and([...operation, ...conditions.permissions])),
  });
}
