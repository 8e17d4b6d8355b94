import type { ObjectKey } from '../mesh/object-ref.ts';
import type { Workload, WorkloadUid } from '../mesh/snapshot.ts';
import type { Absence } from './absence.ts';

/** Tells what proxies have put in force; `main.ts` joins it with what the streams know. */
export interface EnforcementSource {
  /**
   * True when the proxy has acknowledged the present configuration that carries the policy; `unknown` without a report; `unused` when
   * nothing that the proxy is sent has to do with the policy.
   */
  inForce(uid: WorkloadUid, policy: ObjectKey): boolean | 'unknown' | 'unused';
  /** Envoy's message where the proxy refused that configuration. */
  rejection(uid: WorkloadUid, policy: ObjectKey): string | undefined;
  /** Whether there is a report of the proxy. */
  reports(uid: WorkloadUid): boolean;
  /** What the proxy refuses at present, whatever the policy: '' for nothing, another text each time that it is something else. */
  refuses(uid: WorkloadUid): string;
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
  /** Proxies that run and that the policy is about. One that is starting has no part in it: it serves nothing before its first configuration. */
  readonly total: number;
  readonly inForce: number;
  /** Those that have no part in it yet. */
  readonly starting: number;
  readonly refused: readonly Refusal[];
  readonly waiting: readonly string[];
  /** Without a report for longer than a reconnection takes. */
  readonly missing: readonly string[];
  /** Without a report for a short while. */
  readonly reconnecting: readonly string[];
}

/** What a count found. */
export interface EnforcementCount {
  readonly enforcement: Enforcement;
  /** Proxies on which the policy is not in force, the first of them. */
  readonly holders: readonly WorkloadUid[];
  /** Proxies that were asked about. */
  readonly looked: number;
  /** After how many ms the first of those that reconnect counts as missing; Infinity without any. */
  readonly graceMs: number;
}

/** So many proxies are remembered of those that hold a policy back: while one of them does, the others alter only the count. */
export const MAX_HOLDERS = 16;

export const NO_ENFORCEMENT: Enforcement = {
  total: 0,
  inForce: 0,
  starting: 0,
  refused: [],
  waiting: [],
  missing: [],
  reconnecting: [],
};

/**
 * Counts the proxies on which a policy is in force.
 * @param workloads those that the policy is about
 * @param now ms since the epoch
 */
export function countEnforcement(
  workloads: Iterable<Workload>,
  policy: ObjectKey,
  source: EnforcementSource,
  absence: Absence,
  now: number,
): EnforcementCount {
  const refused: Refusal[] = [];
  const waiting: string[] = [];
  const missing: string[] = [];
  const reconnecting: string[] = [];
  const holders: WorkloadUid[] = [];
  let inForce = 0;
  let starting = 0;
  let looked = 0;
  let graceMs = Number.POSITIVE_INFINITY;
  for (const { uid, namespace, name, proxyStarted } of workloads) {
    looked += 1;
    const state = source.inForce(uid, policy);
    if (state === 'unused') continue;
    if (state !== 'unknown') absence.seen(uid);
    if (state === true) inForce += 1;
    else if (proxyStarted !== true) starting += 1;
    else {
      const pod = `${namespace}/${name}`;
      if (holders.length < MAX_HOLDERS) holders.push(uid);
      if (state === 'unknown') {
        const left = absence.missed(uid, now);
        if (left > 0) graceMs = Math.min(graceMs, left);
        (left > 0 ? reconnecting : missing).push(pod);
        continue;
      }
      const message = source.rejection(uid, policy);
      if (message === undefined) waiting.push(pod);
      else refused.push({ pod, message });
    }
  }
  const total = inForce + refused.length + waiting.length + missing.length + reconnecting.length;
  const enforcement = { total, inForce, starting, refused, waiting, missing, reconnecting };
  return { enforcement, holders, looked, graceMs };
}
