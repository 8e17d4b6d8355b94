import { isGlobal } from '../../api/rate-limit-policy.ts';
import { listNames } from '../mesh/name-list.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';
import { type InboundShape, isAbout } from './inbound-shape.ts';
import { actionOf, type Carrier, rulesName } from './rbac.ts';

/** How something is refused, as counters have it. */
export type RefusalReason = 'deny' | 'no_allow_matched' | 'custom' | 'token' | 'local_limit' | 'global_limit';

/** Something by which policies refuse. */
export interface RefusalCause {
  readonly reason: RefusalReason;
  /** What a line says of who decided; Envoy's details follow in a field of their own. */
  readonly decidedBy: string;
  /** How Envoy's details begin then; one of them. */
  readonly details: readonly string[];
  /** Whom it is counted for. */
  readonly counted: readonly CountedRefusal[];
}

/** Policies for which a refusal is counted: it was one of them, or, where no ALLOW policy matched, all together. */
export interface CountedRefusal {
  readonly refs: readonly ObjectRef[];
  /** As in the cause. */
  readonly details: readonly string[];
}

/** Policies that a line names; of more it says how many. */
const NAMED = 5;
const RBAC = 'rbac_access_denied_matched_policy[';

/**
 * What can be refused at a port, and which policies that would be. Where several could, all are named, as Envoy does not tell which: but of DENY, where
 * its details name the rule.
 * @param port undefined: a port that nobody declared
 */
export function refusalCauses(
  { authorization, tokens, rateLimits }: Pick<InboundShape, 'authorization' | 'tokens' | 'rateLimits'>,
  port: number | undefined,
  carrier: Carrier,
): RefusalCause[] {
  const policies = authorization.filter((one) => isAbout(one, port) && !one.rules.dryRun);
  const acting = (action: string) =>
    policies.filter((one) => actionOf(one, port, carrier) === action).map(({ rules }) => rules.ref);
  const all = [
    denied(acting('DENY')),
    cause('no_allow_matched', 'no ALLOW policy matched: AuthorizationPolicy', acting('ALLOW'), [`${RBAC}none]`]),
    cause('custom', 'AuthorizationPolicy CUSTOM', acting('CUSTOM'), ['ext_authz_']),
  ];
  if (carrier === 'tcp') return all.flat();
  const limits = rateLimits.filter((one) => isAbout(one, port) && one.rules.spec.dryRun !== true);
  const limiting = (global: boolean) =>
    limits
      .filter(({ rules }) => rules.spec.limits?.some((one) => isGlobal(one) === global))
      .map(({ rules }) => rules.ref);
  const asking = tokens.filter((one) => isAbout(one, port)).map(({ rules }) => rules.ref);
  return [
    ...all,
    cause('token', 'RequestAuthentication', asking, ['jwt_authn_access_denied']),
    cause('local_limit', 'RateLimitPolicy', limiting(false), ['local_rate_limited']),
    cause('global_limit', 'RateLimitPolicy', limiting(true), ['request_rate_limited', 'rate_limiter_error']),
  ].flat();
}

/** Envoy's details name the rule of a DENY, so that each policy is counted by itself. */
function denied(refs: readonly ObjectRef[]): RefusalCause[] {
  const counted = refs.map((ref) => ({ refs: [ref], details: [`${RBAC}${rulesName(ref)}`] }));
  return cause('deny', 'AuthorizationPolicy DENY', refs, [`${RBAC}ns[`], counted);
}

function cause(
  reason: RefusalReason,
  what: string,
  refs: readonly ObjectRef[],
  details: readonly string[],
  counted: readonly CountedRefusal[] = [{ refs, details }],
): RefusalCause[] {
  if (refs.length === 0) return [];
  const names = refs.map(({ namespace, name }) => `${namespace}/${name}`);
  return [{ reason, decidedBy: `${what} ${listNames(names, NAMED)}`, details, counted }];
}
