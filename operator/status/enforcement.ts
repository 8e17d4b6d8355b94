import type { ObjectKey } from '../mesh/object-ref.ts';
import type { MeshSnapshot, PolicyView, WorkloadUid } from '../mesh/snapshot.ts';
import type { Absence } from './absence.ts';

/** Tells what proxies have put in force; `main.ts` joins it with what the streams know. */
export interface EnforcementSource {
  /** True when the proxy has acknowledged the present configuration that carries the policy; `unknown` without a report. */
  inForce(uid: WorkloadUid, policy: ObjectKey): boolean | 'unknown';
  /** Envoy's message where the proxy refused that configuration. */
  rejection(uid: WorkloadUid, policy: ObjectKey): string | undefined;
  /** Calls back with the pods whose report changed, came or went. Gives a function that ends that. */
  onChange(listener: (uids: ReadonlySet<WorkloadUid>) => void): () => void;
}

/** A proxy that refused. */
export interface Refusal {
  readonly pod: string;
  readonly message: string;
}

/** On how many proxies a policy is in force. Pods are named `namespace/name`. */
export interface Enforcement {
  /** Proxies that run. One that is starting has no part in it: it serves nothing before its first configuration. */
  readonly total: number;
  readonly inForce: number;
  readonly refused: readonly Refusal[];
  readonly waiting: readonly string[];
  /** Without a report for longer than a reconnection takes. */
  readonly missing: readonly string[];
  /** Without a report for a short while. */
  readonly reconnecting: readonly string[];
}

/**
 * Counts the proxies on which a policy is in force.
 * @param now ms since the epoch
 */
export function countEnforcement(
  { workloads }: MeshSnapshot,
  view: PolicyView,
  policy: ObjectKey,
  source: EnforcementSource,
  absence: Absence,
  now: number,
): Enforcement {
  const refused: Refusal[] = [];
  const waiting: string[] = [];
  const missing: string[] = [];
  const reconnecting: string[] = [];
  let inForce = 0;
  for (const uid of view.workloads) {
    const workload = workloads.get(uid);
    const state = source.inForce(uid, policy);
    if (state !== 'unknown') absence.seen(uid);
    if (state === true) inForce += 1;
    else if (workload?.proxyStarted === true) {
      const pod = `${workload.namespace}/${workload.name}`;
      const message = state === false ? source.rejection(uid, policy) : undefined;
      if (message !== undefined) refused.push({ pod, message });
      else if (state === false) waiting.push(pod);
      else if (absence.missed(uid, now)) reconnecting.push(pod);
      else missing.push(pod);
    }
  }
  const total = inForce + refused.length + waiting.length + missing.length + reconnecting.length;
  return { total, inForce, refused, waiting, missing, reconnecting };
}
