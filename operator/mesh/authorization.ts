import type { AuthorizationRule } from '../../api/authorization-policy.ts';
import { findAttached } from './attachment.ts';
import { type Authorizer, answersAt, findAuthorizer } from './authorizer.ts';
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
  /**
   * Ports at which the pod itself answers for whom CUSTOM asks. A question there would be asked about, and so without end: what the rules match is denied
   * there.
   */
  readonly asksItselfAt?: readonly number[];
}

/** AuthorizationPolicies that are about a pod, in order of their names: mesh-wide ones, its namespace's, those that select it or a Service of it. */
export function findAuthorization(settings: MeshSettings, tables: MeshTables, pod: PodFacts): AttachedPolicy[] {
  return findAttached(tables, tables.authorizationPolicies, pod).flatMap(({ facts: { rules }, ...more }) => {
    if (rules === undefined) return [];
    if (rules.provider === undefined) return [{ rules, ...more }];
    const { authorizer, pods } = findAuthorizer(settings, tables, rules.provider);
    if (authorizer === undefined) return [{ rules, ...more }];
    const own = answersAt(pods, pod).filter((port) => isAboutPort(rules, more.ports, port));
    return [{ rules, ...more, authorizer, ...(own.length === 0 ? {} : { asksItselfAt: own }) }];
  });
}

/** Whether some rule of a policy may match what comes to a port. */
function isAboutPort({ rules }: AuthorizationRules, about: readonly number[] | undefined, port: number): boolean {
  // A number may be written with zeros before it.
  const isNamed = (ports: readonly string[] = []) => ports.some((one) => Number(one) === port);
  const isAmong = ({ to = [{}] }: AuthorizationRule) =>
    to.some(
      ({ operation: { ports = [], notPorts } = {} }) => (ports.length === 0 || isNamed(ports)) && !isNamed(notPorts),
    );
  return about?.includes(port) !== false && rules.some(isAmong);
}

/** All policies that stand in the inbound side of a workload. */
export function policiesOfServer(
  workload: Pick<Workload, 'mtls' | 'authorization' | 'tokens' | 'rateLimits' | 'telemetry'> | undefined,
): readonly ObjectRef[] {
  if (workload === undefined) return [];
  const { mtls, authorization, tokens, rateLimits, telemetry } = workload;
  const attached = [...authorization, ...tokens, ...rateLimits].map(({ rules }) => rules.ref);
  return [...mtls.policies, ...attached, ...(telemetry?.policies ?? [])];
}

/** Whether a policy stands in the inbound side of a workload. */
export function hasPolicy(
  workload: Parameters<typeof policiesOfServer>[0],
  { kind, namespace, name }: ObjectRef,
): boolean {
  return policiesOfServer(workload).some(
    (one) => one.name === name && one.namespace === namespace && one.kind === kind,
  );
}
