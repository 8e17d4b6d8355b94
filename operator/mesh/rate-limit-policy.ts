import { readAim } from '../../api/policy-aim.ts';
import { RATE_LIMIT_POLICY_KIND, type RateLimitPolicy } from '../../api/rate-limit-policy.ts';
import { judgeRateLimitPolicy } from '../../api/rate-limit-policy-judgement.ts';
import { type Attachable, attachBy, podsAbout, readIdentity } from './attachment.ts';
import { digestOf } from './digest.ts';
import type { IngestionTarget } from './ingestion.ts';
import type { RateLimitRules } from './rate-limits.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec } from './spec-problem.ts';

/** What the mesh reads of a RateLimitPolicy. */
export interface RateLimitPolicyFacts extends Attachable {
  readonly createdAt: number;
  readonly generation: number;
  /** Absent when it can't be right. */
  readonly rules?: RateLimitRules;
  readonly problems: readonly Problem[];
}

/** Reads a RateLimitPolicy, of any shape. One that can't be right is not in force at all: a limit that nobody wrote would refuse what nobody meant. */
export function readRateLimitPolicy(settings: MeshSettings, policy: RateLimitPolicy): RateLimitPolicyFacts {
  const { metadata, spec: json } = policy;
  const identity = readIdentity(settings, RATE_LIMIT_POLICY_KIND, metadata);
  const { ref } = identity;
  const { errors, spec } = judgeRateLimitPolicy(json);
  const problems = invalidSpec(ref, errors, 'Until it is mended it limits nothing.');
  if (spec === undefined) {
    return { ...identity, ...attachBy(metadata.namespace, readAim(json) ?? {}), problems };
  }
  const { selector: _, targetRef: __, targetRefs: ___, ...limits } = spec;
  const rules = { ref, spec: limits, digest: digestOf(JSON.stringify([ref, limits])) };
  return { ...identity, ...attachBy(metadata.namespace, spec), rules, problems };
}

/** Its view, and the pods it may be about. */
export function markRateLimitPolicy({ tables, dirty }: IngestionTarget, facts: RateLimitPolicyFacts): void {
  dirty.rateLimitPolicies.add(facts.key);
  for (const pod of podsAbout(tables, facts)) if (pod.injected) dirty.pods.add(pod.uid);
}
