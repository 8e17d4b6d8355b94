import type { AuthorizationRule } from '../../api/authorization-policy.ts';
import { findAttached } from './attachment.ts';
import { type Authorizer, findAuthorizer } from './authorizer.ts';
import type { ObjectRef } from './object-ref.ts';
import type { PodFacts } from './pod.ts';
import type { MeshSettings, Workload } from './snapshot.ts';
import type { MeshTables } from './tables.ts';

/** The rules of one AuthorizationPolicy, shared by all workloads it is about. */
export interface AuthorizationRules {
  readonly ref: ObjectRef;
  readonly action: 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM';
  /** Whom CUSTOM asks, by its name in the mesh's settings. */
  readonly provider?: string;
  /** It decides nothing; what it would have decided is counted. */
  readonly dryRun: boolean;
  /** In Istio's terms; all are valid. */
  readonly rules: readonly AuthorizationRule[];
  /** Equal for equal rules. */
  readonly digest: string;
}

/** An AuthorizationPolicy at work on a workload. */
export interface AttachedPolicy {
  readonly rules: AuthorizationRules;
  /** Ports it is about, of a policy with targets; absent: all. */
  readonly ports?: readonly number[];
  /** Whom CUSTOM asks; without anybody, what it would ask about is denied. */
  readonly authorizer?: Authorizer;
}

/** AuthorizationPolicies that are about a pod, in order of their names: mesh-wide ones, its namespace's, those that select it or a Service of it. */
export function findAuthorization(settings: MeshSettings, tables: MeshTables, pod: PodFacts): AttachedPolicy[] {
  return findAttached(tables, tables.authorizationPolicies, pod).flatMap(({ facts: { rules }, ...more }) => {
    if (rules === undefined) return [];
    if (rules.provider === undefined) return [{ rules, ...more }];
    const { authorizer } = findAuthorizer(settings, tables, rules.provider);
    return [{ rules, ...more, ...(authorizer === undefined ? {} : { authorizer }) }];
  });
}

/** All policies that stand in the inbound side of a workload. */
export function policiesOfServer(
  workload: Pick<Workload, 'mtls' | 'authorization' | 'tokens' | 'rateLimits'> | undefined,
): readonly ObjectRef[] {
  if (workload === undefined) return [];
  const { mtls, authorization, tokens, rateLimits } = workload;
  return [...mtls.policies, ...[...authorization, ...tokens, ...rateLimits].map(({ rules }) => rules.ref)];
}
