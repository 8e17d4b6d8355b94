import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { authorizerOf, isAuthorizer, readServiceName } from '../../api/extension-provider.ts';
import { noteMissingTargets } from './attachment.ts';
import { draftAttached } from './attachment-drafts.ts';
import { type AuthorizationPolicyFacts, markAuthorizationPolicy } from './authorization-policy.ts';
import { noteProvider } from './authorizer-notes.ts';
import { noteDenied } from './deny-note.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { keyOf } from './mesh-object.ts';
import { namespacedName, objectKey } from './object-ref.ts';
import { noteOthers } from './overlap-note.ts';
import { isJudged } from './policy-view.ts';
import type { PolicyView } from './snapshot.ts';

/** Whom a policy asks may be there now or be gone: the policy, and the pods it is about. */
export function markAskers({ settings, tables }: DraftContext, dirty: DirtySet): void {
  for (const provider of (settings.extensionProviders ?? []).filter(isAuthorizer)) {
    const { hostname } = readServiceName(authorizerOf(provider).settings.service);
    if (!dirty.hostnames.has(hostname)) continue;
    for (const facts of tables.authorizationPolicies.select('provider', provider.name)) {
      markAuthorizationPolicy({ settings, tables, dirty }, facts);
    }
  }
}

/** Drafts the views of AuthorizationPolicies. */
export function draftAuthorization(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables, authorizationTally, authorizationOverlap } = context;
  for (const uid of dirty.pods) {
    // What is said of one that asks is also about who else does, and about the pod.
    for (const { rules } of drafts.workloads.get(uid)?.authorization ?? []) {
      if (rules.provider !== undefined) dirty.authorizationPolicies.add(keyOf(rules.ref));
    }
  }
  // What is said of an ALLOW is also about the DENY beside it.
  for (const key of [...dirty.authorizationPolicies]) {
    for (const other of authorizationOverlap.beside(`${AUTHORIZATION_POLICY_KIND}/${key}`)) {
      dirty.authorizationPolicies.add(namespacedName(other));
    }
  }
  draftAttached(dirty, drafts, {
    kind: AUTHORIZATION_POLICY_KIND,
    tally: authorizationTally,
    overlap: authorizationOverlap,
    dirty: dirty.authorizationPolicies,
    at: ({ authorization }) => authorization,
    view: (key) => {
      const facts = tables.authorizationPolicies.get(key);
      return facts && buildView(context, drafts, facts);
    },
  });
}

/** @returns undefined when it is in a namespace that is not ours to judge */
function buildView(context: DraftContext, drafts: Drafts, facts: AuthorizationPolicyFacts): PolicyView | undefined {
  const { ref: object, generation, problems, rules } = facts;
  if (!isJudged(context, object.namespace)) return undefined;
  const key = objectKey(object);
  const workloads = context.authorizationTally.consulted(key);
  return {
    object,
    generation,
    reach: { kind: 'workloads', workloads },
    selected: context.authorizationTally.selected(key),
    problems,
    notes: [
      ...noteProvider(context, drafts, facts),
      ...noteMissingTargets(context.tables, facts),
      ...noteDryRun(facts),
      ...noteDenied(context, facts),
      ...noteOthers(context.authorizationOverlap, key),
    ],
    // Of whom nobody is asked nothing is counted.
    ...(rules?.dryRun === true && rules.action !== 'CUSTOM' ? { dryRun: true } : {}),
  };
}

function noteDryRun({ rules }: AuthorizationPolicyFacts): string[] {
  if (rules?.dryRun !== true) return [];
  return rules.action === 'CUSTOM'
    ? ['It is in dry run: it decides nothing, its provider is not asked, and nothing is counted.']
    : ['It is in dry run: it decides nothing.'];
}
