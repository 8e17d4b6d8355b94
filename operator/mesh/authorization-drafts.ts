import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { noteMissingTargets } from './attachment.ts';
import { draftAttached } from './attachment-drafts.ts';
import type { AuthorizationPolicyFacts } from './authorization-policy.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { objectKey } from './object-ref.ts';
import { noteOthers } from './overlap-note.ts';
import { isJudged } from './policy-view.ts';
import type { PolicyView } from './snapshot.ts';

/** Drafts the views of AuthorizationPolicies. */
export function draftAuthorization(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables, authorizationTally, authorizationOverlap } = context;
  for (const uid of dirty.pods) {
    const attached = drafts.workloads.get(uid)?.authorization ?? [];
    authorizationOverlap.replace(
      uid,
      attached.map(({ rules }) => objectKey(rules.ref)),
    );
  }
  draftAttached(dirty, drafts, {
    kind: AUTHORIZATION_POLICY_KIND,
    tally: authorizationTally,
    dirty: dirty.authorizationPolicies,
    at: ({ authorization }) => authorization.map(({ rules }) => rules.ref),
    view: (key) => {
      const facts = tables.authorizationPolicies.get(key);
      return facts && buildView(context, facts);
    },
  });
}

/** @returns undefined when it is in a namespace that is not ours to judge */
function buildView(context: DraftContext, facts: AuthorizationPolicyFacts): PolicyView | undefined {
  const { ref: object, generation, problems, notes } = facts;
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
      ...notes,
      ...noteMissingTargets(context.tables, facts),
      ...noteDryRun(facts),
      ...noteOthers(context.authorizationOverlap, key),
    ],
    ...(facts.rules?.dryRun === true ? { dryRun: true } : {}),
  };
}

function noteDryRun({ rules }: AuthorizationPolicyFacts): string[] {
  return rules?.dryRun === true ? ['It is in dry run: it decides nothing.'] : [];
}
