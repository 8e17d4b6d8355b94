import { isGlobal, RATE_LIMIT_POLICY_KIND, type RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { noteMissingTargets } from './attachment.ts';
import { draftAttached } from './attachment-drafts.ts';
import type { DirtySet } from './dirty-set.ts';
import type { DraftContext, Drafts } from './drafts.ts';
import { objectKey } from './object-ref.ts';
import { noteOthers } from './overlap-note.ts';
import type { RateLimitPolicyFacts } from './rate-limit-policy.ts';
import type { MeshSettings, PolicyView } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** Drafts the views of RateLimitPolicies. */
export function draftRateLimits(context: DraftContext, dirty: DirtySet, drafts: Drafts): void {
  const { tables, rateLimitTally, rateLimitOverlap } = context;
  for (const uid of dirty.pods) {
    const attached = drafts.workloads.get(uid)?.rateLimits ?? [];
    rateLimitOverlap.replace(
      uid,
      attached.map(({ rules }) => objectKey(rules.ref)),
    );
  }
  draftAttached(dirty, drafts, {
    kind: RATE_LIMIT_POLICY_KIND,
    tally: rateLimitTally,
    dirty: dirty.rateLimitPolicies,
    at: ({ rateLimits }) => rateLimits.map(({ rules }) => rules.ref),
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
      ...noteNoHttp(tables, facts),
      ...noteCounts(settings, rules?.spec),
      ...(dryRun ? ['It is in dry run: its limits refuse nothing.'] : []),
      ...noteOthers(rateLimitOverlap, key),
    ],
    ...(dryRun ? { dryRun: true as const } : {}),
  };
}

/** Limits are of HTTP requests: of a Service without a port for these they are about nothing. */
function noteNoHttp({ services }: MeshTables, { targets, rules }: RateLimitPolicyFacts): string[] {
  if ((rules?.spec.limits ?? []).length === 0) return [];
  const without = targets.filter((target) => {
    const ports = services.get(target)?.ports;
    return ports?.every(({ protocol }) => protocol === 'tcp' || protocol === 'tls' || protocol === 'udp') === true;
  });
  if (without.length === 0) return [];
  return [`spec.limits: Service ${without.join(', ')} has no port of HTTP; there they limit nothing.`];
}

/** Where the counts of global limits are kept. */
function noteCounts({ rateLimits }: MeshSettings, spec: RateLimitPolicySpec | undefined): string[] {
  if (spec?.limits?.some(isGlobal) !== true) return [];
  if (rateLimits?.redis === true) return ['Global counts are kept in Redis.'];
  return ['Global counts are kept in the memory of the operator; a restart of it begins windows anew.'];
}
