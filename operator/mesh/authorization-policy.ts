import {
  AUTHORIZATION_POLICY_KIND,
  type AuthorizationPolicy,
  type AuthorizationPolicySpec,
  DRY_RUN_ANNOTATION,
} from '../../api/authorization-policy.ts';
import { judgeAuthorizationPolicy } from '../../api/authorization-policy-judgement.ts';
import { readAim } from '../../api/policy-aim.ts';
import { type Attachable, attachBy, podsAbout, readIdentity } from './attachment.ts';
import type { AuthorizationRules } from './authorization.ts';
import { digestOf } from './digest.ts';
import type { IngestionTarget } from './ingestion.ts';
import type { ObjectRef } from './object-ref.ts';
import type { MeshSettings, Problem } from './snapshot.ts';
import { invalidSpec } from './spec-problem.ts';

/** What the mesh reads of an AuthorizationPolicy. */
export interface AuthorizationPolicyFacts extends Attachable {
  readonly createdAt: number;
  readonly generation: number;
  /** Absent when nobody can tell whom it is about. */
  readonly rules?: AuthorizationRules;
  readonly problems: readonly Problem[];
}

/** Go's strconv.ParseBool, by which Istio reads the annotation. */
const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);

/**
 * Reads an AuthorizationPolicy, of any shape. One that can't be right got past admission; it must not let through what its user meant to stop, so it
 * denies everything at the pods it selects until it is mended.
 */
export function readAuthorizationPolicy(settings: MeshSettings, policy: AuthorizationPolicy): AuthorizationPolicyFacts {
  const { metadata, spec: json } = policy;
  const identity = readIdentity(settings, AUTHORIZATION_POLICY_KIND, metadata);
  const { ref } = identity;
  const { errors, spec } = judgeAuthorizationPolicy(json);
  const dryRun = TRUE.has(String(metadata.annotations?.[DRY_RUN_ANNOTATION]));
  const aim = spec ?? readAim(json);
  if (aim === undefined) {
    const problems = invalidSpec(ref, errors, 'Nobody can tell which pods it is about: it is not in force.');
    return { ...identity, selector: {}, targets: [], problems };
  }
  const text = 'Until it is mended it denies every request to the pods it is about.';
  return {
    ...identity,
    ...attachBy(metadata.namespace, aim),
    rules: spec === undefined ? denyAll(ref) : buildRules(ref, spec, dryRun),
    problems: invalidSpec(ref, errors, text),
  };
}

/** Its view, and the pods it may be about. */
export function markAuthorizationPolicy({ tables, dirty }: IngestionTarget, facts: AuthorizationPolicyFacts): void {
  dirty.authorizationPolicies.add(facts.key);
  for (const pod of podsAbout(tables, facts)) if (pod.injected) dirty.pods.add(pod.uid);
}

function buildRules(ref: ObjectRef, spec: AuthorizationPolicySpec, dryRun: boolean): AuthorizationRules {
  const { action = 'ALLOW', rules = [], provider } = spec;
  return withDigest({
    ref,
    action,
    dryRun,
    rules,
    ...(provider?.name === undefined ? {} : { provider: provider.name }),
  });
}

function denyAll(ref: ObjectRef): AuthorizationRules {
  return withDigest({ ref, action: 'DENY', dryRun: false, rules: [{}] });
}

function withDigest(rules: Omit<AuthorizationRules, 'digest'>): AuthorizationRules {
  return { ...rules, digest: digestOf(JSON.stringify(rules)) };
}
