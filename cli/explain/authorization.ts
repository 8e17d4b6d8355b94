import type { AuthorizationRule } from '../../api/authorization-policy.ts';
import { httpOnlyFields } from '../../api/authorization-policy-judgement.ts';
import type { AttachedPolicy, AuthorizationRules } from '../../operator/mesh/authorization.ts';
import type { ObjectRef } from '../../operator/mesh/object-ref.ts';
import { isAbout } from '../../operator/xds/inbound-shape.ts';
import { actionOf } from '../../operator/xds/rbac.ts';
import type { CallFacts } from './call-facts.ts';
import { ruleMismatch } from './rule-mismatch.ts';

/** A policy that had a say. */
export interface PolicySay {
  readonly policy: ObjectRef;
  readonly action: AuthorizationRules['action'];
  /** Number of the rule that matches, from 0; absent: none does. */
  readonly rule?: number;
  /** Why its rules don't match, one for each. */
  readonly mismatches?: readonly string[];
  /** Whom it asks. */
  readonly provider?: string;
}

/** What AuthorizationPolicies come to for one call. */
export interface AuthorizationDecision {
  /** `asked`: those in `asks` have the last word. */
  readonly verdict: 'allowed' | 'denied' | 'asked';
  /** The policy that denies, or that allows; absent: there is none about the call, or no ALLOW policy matches. */
  readonly decidedBy?: PolicySay;
  /** ALLOW policies of which none matches. */
  readonly unmatched: readonly PolicySay[];
  readonly asks: readonly PolicySay[];
  /** What policies in dry run would do: those that match, and ALLOW policies that would deny, as neither they nor others match. */
  readonly dryRun: readonly PolicySay[];
}

/** Decides a call by the policies of a workload as Istio documents them: whom CUSTOM asks, then DENY, then ALLOW. */
export function decideAuthorization(attached: readonly AttachedPolicy[], facts: CallFacts): AuthorizationDecision {
  const carrier = facts.request === undefined ? 'tcp' : 'http';
  const here = attached.filter((one) => isAbout(one, facts.port));
  const says = here.map((one) => ({ say: sayOf(one, facts), as: actionOf(one, facts.port, carrier), one }));
  const inForce = says.filter(({ one }) => !one.rules.dryRun);
  const matching = (action: string) =>
    inForce.filter(({ as, say }) => as === action && say.rule !== undefined).map(({ say }) => say);
  const asks = matching('CUSTOM');
  const [allows] = matching('ALLOW');
  const dryRun = says
    .filter(({ one }) => one.rules.dryRun)
    .map(({ say }) => say)
    .filter(({ rule, action }) => rule !== undefined || (action === 'ALLOW' && allows === undefined));
  const rest = { asks, dryRun, unmatched: [] };
  const [denies] = matching('DENY');
  if (denies !== undefined) return { verdict: 'denied', decidedBy: denies, ...rest };
  const allowing = inForce.filter(({ as }) => as === 'ALLOW').map(({ say }) => say);
  if (allowing.length > 0 && allows === undefined) return { verdict: 'denied', ...rest, unmatched: allowing };
  const decidedBy = allows === undefined ? {} : { decidedBy: allows };
  return { verdict: asks.length > 0 ? 'asked' : 'allowed', ...decidedBy, ...rest };
}

function sayOf({ rules }: AttachedPolicy, facts: CallFacts): PolicySay {
  const { ref, action, provider } = rules;
  const say = { policy: ref, action, ...(provider === undefined ? {} : { provider }) };
  const mismatches: string[] = [];
  const reading = { namespace: ref.namespace, stops: action === 'DENY' || action === 'CUSTOM' };
  for (const [index, rule] of rules.rules.entries()) {
    const found = mismatchAt(rule, facts, reading);
    if (found === undefined) return { ...say, rule: index };
    mismatches.push(found);
  }
  return { ...say, mismatches };
}

/**
 * Of bytes nobody knows what they ask for: a rule with fields of HTTP allows none of them, and one that stops takes them as if these were not written.
 */
function mismatchAt(rule: AuthorizationRule, facts: CallFacts, reading: Parameters<typeof ruleMismatch>[2]) {
  if (facts.request !== undefined) return ruleMismatch(rule, facts, reading);
  const ofRequests = httpOnlyFields(rule);
  if (ofRequests.length > 0 && !reading.stops) return `${ofRequests.join(', ')} can be told of HTTP requests only`;
  const when = (rule.when ?? []).filter(({ key }) => !ofRequests.includes(key));
  return ruleMismatch({ ...rule, when }, facts, reading);
}
