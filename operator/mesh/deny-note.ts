import type { AuthorizationPolicyFacts } from './authorization-policy.ts';
import { deniesAll } from './deny-cover.ts';
import type { DraftContext } from './drafts.ts';
import { sameValue } from './equality.ts';
import { listNames } from './name-list.ts';
import { namespacedName, objectKey } from './object-ref.ts';

/** Policies that a condition names. */
const NAMED = 5;

/** Of an ALLOW policy: DENY policies about some of the same pods that deny there all that it allows, so that it lets nothing through. */
export function noteDenied({ tables, authorizationOverlap }: DraftContext, facts: AuthorizationPolicyFacts): string[] {
  const { rules, targets } = facts;
  if (rules?.action !== 'ALLOW' || rules.dryRun) return [];
  const denying = authorizationOverlap.beside(objectKey(facts.ref)).flatMap((key) => {
    const other = tables.authorizationPolicies.get(namespacedName(key));
    if (other?.rules?.action !== 'DENY' || other.rules.dryRun) return [];
    const isEverywhere = other.targets.length === 0 || sameValue(other.targets, targets);
    return isEverywhere && deniesAll(other.rules, rules) ? [other.key] : [];
  });
  if (denying.length === 0) return [];
  return [
    `Where ${listNames(denying, NAMED)} is in force as well, all that it allows is denied, so that it lets nothing through.`,
  ];
}
