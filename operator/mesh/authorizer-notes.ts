import { authorizerOf } from '../../api/extension-provider.ts';
import type { AuthorizationPolicyFacts } from './authorization-policy.ts';
import { type AuthorizerPods, findAuthorizer } from './authorizer.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { listNames } from './name-list.ts';
import { namespacedName, objectKey } from './object-ref.ts';

/** Pods or policies that a condition names. */
const NAMED = 5;

/** What is to be said of whom a policy with action CUSTOM asks: that it can't be asked, or not everywhere, and who else is. */
export function noteProvider(context: DraftContext, drafts: Drafts, facts: AuthorizationPolicyFacts): string[] {
  const { rules } = facts;
  if (rules?.provider === undefined || rules.dryRun) return [];
  const { authorizer, pods, problem } = findAuthorizer(context.settings, context.tables, rules.provider);
  if (problem !== undefined) {
    const notes = [`spec.provider is not in force: ${problem}, so requests that a rule matches are denied.`];
    return [...notes, ...noteOtherProviders(context, facts)];
  }
  const byHttp =
    `spec.provider: "${rules.provider}" is asked by HTTP. On connections that are not HTTP it can't be, and those that a rule matches, ` +
    'as far as it is not about requests, are denied there.';
  return [
    ...(authorizerOf(authorizer.provider).protocol === 'grpc' ? [] : [byHttp]),
    ...noteItself(context, drafts, facts, pods),
    ...noteOtherProviders(context, facts),
  ];
}

/** A provider's own pods among those that the policy is about: each question would be asked about, without end. */
function noteItself(
  { tables }: DraftContext,
  { workloads }: Drafts,
  { key, rules }: AuthorizationPolicyFacts,
  { namespace, selector }: AuthorizerPods,
): string[] {
  const found: string[] = [];
  for (const { uid, name } of tables.podsSelectedBy({ namespace, selector })) {
    const own = workloads.get(uid)?.authorization.find(({ rules: { ref } }) => `${ref.namespace}/${ref.name}` === key);
    if (own?.asksItselfAt !== undefined) found.push(`${namespace}/${name} port ${own.asksItselfAt.join(', ')}`);
  }
  if (found.length === 0) return [];
  return [
    `spec.provider: "${rules?.provider}" would be asked about questions to itself, without end (${listNames(found.sort(), NAMED)}). What a rule matches there is denied, ` +
      'and so may be the questions: leave these pods out by spec.selector, or the port by notPorts.',
  ];
}

/** Istio denies where policies name several; here all are asked, which whoever reads one of the policies is to know. */
function noteOtherProviders({ tables, authorizationOverlap }: DraftContext, facts: AuthorizationPolicyFacts): string[] {
  const others: string[] = [];
  for (const key of authorizationOverlap.beside(objectKey(facts.ref))) {
    const other = tables.authorizationPolicies.get(namespacedName(key));
    const { provider, dryRun } = other?.rules ?? {};
    if (provider === undefined || dryRun === true || provider === facts.rules?.provider) continue;
    others.push(`"${provider}" (${other?.key})`);
  }
  if (others.length === 0) return [];
  return [
    `spec.provider: on some of its pods others are asked as well, and all must allow: ${listNames(others.sort(), NAMED)}.`,
  ];
}
