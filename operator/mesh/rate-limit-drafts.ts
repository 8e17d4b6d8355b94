import { isGlobal, RATE_LIMIT_POLICY_KIND, type RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { noteMissingTargets } from './attachment.ts';
import { decisionOf, draftAttached } from './attachment-drafts.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { noteGuessed } from './guessed-note.ts';
import { namespacedName, type ObjectKey, type ObjectRef, objectKey } from './object-ref.ts';
import { noteOthers } from './overlap-note.ts';
import { isHttp } from './protocol.ts';
import type { RateLimitPolicyFacts } from './rate-limit-policy.ts';
import type { AttachedRateLimits } from './rate-limits.ts';
import type { MeshSettings, PolicyView, Workload } from './snapshot.ts';

/** Of a policy that can't be right: none. */
type RateLimitSpec = RateLimitPolicySpec | undefined;

/** Drafts the views of RateLimitPolicies. */
export function draftRateLimits(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables, rateLimitTally, rateLimitHttpTally, rateLimitOverlap } = context;
  for (const uid of dirty.pods) {
    for (const key of rateLimitHttpTally.replace(uid, decisionOf(refsOfHttp(drafts.workloads.get(uid))))) {
      dirty.rateLimitPolicies.add(namespacedName(key));
    }
  }
  draftAttached(dirty, drafts, {
    kind: RATE_LIMIT_POLICY_KIND,
    tally: rateLimitTally,
    overlap: rateLimitOverlap,
    dirty: dirty.rateLimitPolicies,
    guessed: context.rateLimitGuessedTally,
    at: ({ rateLimits }) => rateLimits,
    view: (key) => {
      const facts = tables.rateLimitPolicies.get(key);
      return facts && buildView(context, facts);
    },
  });
}

/** The kind is ours alone, so each has a status, whatever its namespace says. */
function buildView(context: DraftContext, facts: RateLimitPolicyFacts): PolicyView {
  const { ref: object, generation, problems, rules } = facts;
  const { tables, settings, rateLimitTally, rateLimitOverlap } = context;
  const key = objectKey(object);
  const dryRun = rules?.spec.dryRun === true;
  return {
    object,
    generation,
    reach: { kind: 'workloads', workloads: rateLimitTally.consulted(key) },
    selected: rateLimitTally.selected(key),
    problems,
    notes: [
      ...noteMissingTargets(tables, facts),
      ...noteNoHttp(context, key, rules?.spec),
      ...((rules?.spec.limits ?? []).length === 0
        ? []
        : noteGuessed(context.rateLimitGuessedTally.selected(key), 'connections and bandwidth are limited there, too')),
      ...noteCounts(settings, rules?.spec),
      ...(dryRun ? ['It is in dry run: its limits refuse nothing.'] : []),
      ...noteOthers(rateLimitOverlap, key),
    ],
    ...(dryRun ? { dryRun: true as const } : {}),
    ...(settings.rateLimits?.redis === true && isCounted(rules?.spec)
      ? { failureMode: rules?.spec.failureMode ?? 'Open' }
      : {}),
  };
}

/** Limits are of HTTP requests: where no pod has a port for these, they are about nothing. */
function noteNoHttp(
  { rateLimitTally, rateLimitHttpTally }: DraftContext,
  key: ObjectKey,
  spec: RateLimitSpec,
): string[] {
  if ((spec?.limits ?? []).length === 0) return [];
  if (rateLimitTally.selected(key) === 0 || rateLimitHttpTally.selected(key) > 0) return [];
  return ['spec.limits: none of its pods has a port of HTTP that it is about; they limit nothing.'];
}

function refsOfHttp(workload: Workload | undefined): ObjectRef[] {
  if (workload === undefined) return [];
  return workload.rateLimits.filter((one) => isOfHttp(workload, one)).map(({ rules }) => rules.ref);
}

/** Whether a policy is about a port of a workload that takes HTTP, or may. */
function isOfHttp({ inbound }: Workload, { ports }: AttachedRateLimits): boolean {
  return inbound.some(({ port, protocol }) => isHttp(protocol) && (ports === undefined || ports.includes(port)));
}

/** Whether it has global limits. */
function isCounted(spec: RateLimitSpec): boolean {
  return spec?.limits?.some(isGlobal) === true;
}

/** Where the counts of global limits are kept. */
function noteCounts({ rateLimits }: MeshSettings, spec: RateLimitSpec): string[] {
  if (!isCounted(spec)) return [];
  if (rateLimits?.redis === true) return ['Global counts are kept in Redis.'];
  return ['Global counts are kept in the memory of the operator; a restart of it begins windows anew.'];
}
