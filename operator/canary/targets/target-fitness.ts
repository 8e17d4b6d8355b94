import type { Observation, TargetView } from '../observation.ts';
import type { Room } from '../plan.ts';
import { weightForPods } from '../weights.ts';

/** Why revisions of a target can't be tried. */
export interface Unfit {
  readonly reason:
    | 'NotDiscovered'
    | 'TargetMissing'
    | 'TargetUnsupported'
    | 'OnDelete'
    | 'OnlyPod'
    | 'PartitionSet'
    | 'NoService'
    | 'ServiceConflict';
  readonly message: string;
}

export type Check = (target: TargetView, observation: Observation) => Unfit | undefined;

/** Whether Kubernetes will hold a rollout: no old pod goes before a new one is Ready, unless the user, or the kind, wants it so. */
export function isPrepared(target: TargetView): boolean {
  return !target.mayTake.maxUnavailable || target.maxUnavailable === 0;
}

/** Most percent of the requests that pods can be had for. */
export function reachableWeight(target: TargetView): number {
  if (target.mayTake.maxSurge || target.replicas <= 0) return 100;
  return Math.max(1, weightForPods(extraPods(target), target.replicas));
}

/** What pods can be had for the steps of an analysis. */
export function roomOf(target: TargetView): Room {
  return { reachable: reachableWeight(target), replicas: target.replicas };
}

/** Pods of a new revision that Kubernetes makes before it waits for the first. */
export function extraPods({ replicas, maxSurge, maxUnavailable }: TargetView): number {
  return podsOf(maxSurge, replicas, Math.ceil) + podsOf(maxUnavailable, replicas, Math.floor);
}

/** A number of pods, or a percentage of the replicas, as a number of pods. */
export function podsOf(value: number | string, replicas: number, round: (pods: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) * replicas) / 100);
}
