import { AUTHORIZATION_POLICY_KIND } from '../../api/authorization-policy.ts';
import { noteMissingTargets } from './attachment.ts';
import { draftAttached } from './attachment-drafts.ts';
import type { AuthorizationPolicyFacts } from './authorization-policy.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { type ObjectKey, objectKey } from './object-ref.ts';
import { isJudged } from './policy-view.ts';
import type { PolicyView } from './snapshot.ts';

/** Others that a condition names. */
const NAMED = 5;

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
    notes: [...notes, ...noteMissingTargets(context.tables, facts), ...noteDryRun(facts), ...noteOthers(context, key)],
    ...(facts.rules?.dryRun === true ? { dryRun: true } : {}),
  };
}

/** Which others are about the same pods: whoever reads one is to know that it is not alone. */
function noteOthers({ authorizationOverlap }: DraftContext, key: ObjectKey): string[] {
  const others = authorizationOverlap.beside(key).map((other) => other.slice(AUTHORIZATION_POLICY_KIND.length + 1));
  if (others.length === 0) return [];
  const rest = others.length > NAMED ? ` and ${others.length - NAMED} more` : '';
  return [`Also about some of its pods: ${others.slice(0, NAMED).join(', ')}${rest}.`];
}

function noteDryRun({ rules }: AuthorizationPolicyFacts): string[] {
  return rules?.dryRun === true ? ['It is in dry run: it decides nothing.'] : [];
}
