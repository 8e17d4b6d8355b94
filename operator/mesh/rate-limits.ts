import type { RateLimitPolicySpec } from '../../api/rate-limit-policy.ts';
import { findAttached } from './attachment.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { MeshTables } from './tables.ts';

/** The limits of one RateLimitPolicy, shared by all workloads it is about. */
export interface RateLimitRules {
  readonly ref: ObjectRef;
  /** Valid. */
  readonly spec: RateLimitPolicySpec;
  /** Equal for equal rules. */
  readonly digest: string;
}

/** A RateLimitPolicy at work on a workload. */
export interface AttachedRateLimits {
  readonly rules: RateLimitRules;
  /** Ports it is about, of a policy with targets; absent: all. */
  readonly ports?: readonly number[];
}

/** RateLimitPolicies that are about a pod, in order of their names; their limits hold beside each other. */
export function findRateLimits(tables: MeshTables, pod: PodFacts): AttachedRateLimits[] {
  return findAttached(tables, tables.rateLimitPolicies, pod).flatMap(({ facts: { rules }, ...more }) =>
    rules === undefined ? [] : [{ rules, ...more }],
  );
}
