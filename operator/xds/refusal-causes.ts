import { isGlobal } from '../../api/rate-limit-policy.ts';
import { listNames } from '../mesh/name-list.ts';
import type { ObjectRef } from '../mesh/object-ref.ts';
import { type InboundShape, isAbout } from './inbound-shape.ts';
import { actionOf, type Carrier, rulesName } from './rbac.ts';
import { deniesAlways } from './tcp-admission.ts';

/** How something is refused, as counters have it. */
export type RefusalReason =
  | 'deny'
  | 'no_allow_matched'
  | 'custom'
  | 'token'
  | 'local_limit'
  | 'global_limit'
  | 'connection_limit';

/** Something by which policies refuse. */
export interface RefusalCause {
  readonly reason: RefusalReason;
  /** What a line says of who decided; Envoy's details follow in a field of their own. */
  readonly decidedBy: string;
  /** By what it is told; one of them. */
  readonly signs: RefusalSigns;
  /** Whom it is counted for. */
  readonly counted: readonly CountedRefusal[];
}

/** Policies for which a refusal is counted: it was one of them, or, where no ALLOW policy matched, all together. */
export interface CountedRefusal {
  readonly refs: readonly ObjectRef[];
  readonly signs: RefusalSigns;
}

/** What Envoy says of something that is refused. */
export interface RefusalSigns {
  /** How its details begin. */
  readonly details: readonly string[];
  /** A connection that no rule was asked about. */
  readonly early?: EarlyRefusal;
}

/** How connections are refused before there is a byte (see `tcp-admission.ts`): for the name in their certificate, or as they lead nowhere. */
export type EarlyRefusal = 'handshake' | 'nowhere';

/** Policies that a line names; of more it says how many. */
const NAMED = 5;
const RBAC = 'rbac_access_denied_matched_policy[';

/**
 * What can be refused at a port, and which policies that would be. Where several could, all are named, as Envoy does not tell which: but of DENY, where
 * its details name the rule.
 * @param port undefined: a port that nobody declared
 * @param early of a connection of TCP, where some are
 */
export function refusalCauses(
  { authorization, tokens, rateLimits }: Pick<InboundShape, 'authorization' | 'tokens' | 'rateLimits'>,
  port: number | undefined,
  carrier: Carrier,
  early?: EarlyRefusal,
): RefusalCause[] {
  const policies = authorization.filter((one) => isAbout(one, port) && !one.rules.dryRun);
  const acting = (action: string) =>
    policies.filter((one) => actionOf(one, port, carrier) === action).map(({ rules }) => rules.ref);
  const always =
    early === 'nowhere' ? policies.filter((one) => deniesAlways(one, port)).map(({ rules }) => rules.ref) : [];
  const all = [
    denied(acting('DENY'), always),
    cause('no_allow_matched', 'no ALLOW policy matched: AuthorizationPolicy', acting('ALLOW'), {
      details: [`${RBAC}none]`],
      ...(early !== undefined && always.length === 0 && { early }),
    }),
    cause('custom', 'AuthorizationPolicy CUSTOM', acting('CUSTOM'), { details: ['ext_authz_'] }),
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
    cause('token', 'RequestAuthentication', asking, { details: ['jwt_authn_access_denied'] }),
    cause('local_limit', 'RateLimitPolicy', limiting(false), { details: ['local_rate_limited'] }),
    cause('global_limit', 'RateLimitPolicy', limiting(true), {
      details: ['request_rate_limited', 'rate_limiter_error'],
    }),
  ].flat();
}

/**
 * Envoy's details name the rule of a DENY, so that each policy is counted by itself.
 * @param always those for which the port leads nowhere
 */
function denied(refs: readonly ObjectRef[], always: readonly ObjectRef[]): RefusalCause[] {
  const counted: CountedRefusal[] = refs.map((ref) => ({
    refs: [ref],
    signs: { details: [`${RBAC}${rulesName(ref)}`] },
  }));
  const nowhere = always.length === 0 ? {} : { early: 'nowhere' as const };
  if (always.length > 0) counted.push({ refs: always, signs: { details: [], ...nowhere } });
  return cause('deny', 'AuthorizationPolicy DENY', refs, { details: [`${RBAC}ns[`], ...nowhere }, counted);
}

function cause(
  reason: RefusalReason,
  what: string,
  refs: readonly ObjectRef[],
  signs: RefusalSigns,
  counted: readonly CountedRefusal[] = [{ refs, signs }],
): RefusalCause[] {
  if (refs.length === 0) return [];
  const names = refs.map(({ namespace, name }) => `${namespace}/${name}`);
  return [{ reason, decidedBy: `${what} ${listNames(names, NAMED)}`, signs, counted }];
}
