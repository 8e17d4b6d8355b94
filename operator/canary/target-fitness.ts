import type { Observation, TargetView } from './observation.ts';
import { weightForPods } from './weights.ts';

/** What a target is for the purposes of a canary: one of a chain of small checks speaks. */
export interface Unfit {
  readonly reason: 'NotDiscovered' | 'TargetMissing' | 'TargetUnsupported' | 'NoService';
  readonly message: string;
}

type Check = (target: TargetView, observation: Observation) => Unfit | undefined;

/** Checks that hold at any time: without them new pods cannot be held back without harm. */
const ALWAYS: readonly Check[] = [
  ({ strategy }, { targetName }) =>
    strategy === 'Recreate'
      ? {
          reason: 'TargetUnsupported',
          message: `spec.strategy.type of Deployment ${targetName} is Recreate, which stops the old pods before the new ones are tried; set it to RollingUpdate`,
        }
      : undefined,
  ({ mayTake, maxUnavailable, replicas }, { targetName }) =>
    !mayTake.maxUnavailable && replicas > 0 && resolve(maxUnavailable, replicas, Math.floor) >= replicas
      ? {
          reason: 'TargetUnsupported',
          message: `maxUnavailable ${maxUnavailable} of Deployment ${targetName} lets all its ${replicas} pods go before the new ones are tried; lower it or leave it out`,
        }
      : undefined,
];

/** Checks made while nothing is being released. */
const AT_REST: readonly Check[] = [
  ({ current, revisions }, { targetName }) => {
    const pods = revisions.get(current ?? '')?.pods;
    if (!pods || pods.total === 0 || pods.injected > 0) return undefined;
    return {
      reason: 'TargetUnsupported',
      message: `the pods of Deployment ${targetName} have no sidecar, so no share of their requests can be tried; label the namespace heddle.dev/injection=enabled and run kubectl rollout restart`,
    };
  },
  (_, { services, targetName }) =>
    services.length === 0
      ? {
          reason: 'NoService',
          message: `no Service selects the pods of Deployment ${targetName}, so no share of their requests can be tried; make one, or set its spec.selector to the pods' labels`,
        }
      : undefined,
];

/**
 * Whether revisions of the target can be tried.
 * @param releasing true while a revision is under analysis: then only what would do harm counts
 */
export function findUnfit(observation: Observation, releasing: boolean): Unfit | undefined {
  const { target, targetName, undiscovered } = observation;
  if (undiscovered !== undefined) return { reason: 'NotDiscovered', message: undiscovered };
  if (!target) {
    return {
      reason: 'TargetMissing',
      message: `there is no Deployment ${targetName} in this namespace; spec.targetRef.name must name one`,
    };
  }
  for (const check of releasing ? ALWAYS : [...ALWAYS, ...AT_REST]) {
    const unfit = check(target, observation);
    if (unfit) return unfit;
  }
  return undefined;
}

/** Whether Kubernetes will hold a rollout: no old pod goes before a new one is Ready, unless the user said so. */
export function isPrepared(target: TargetView): boolean {
  return !target.mayTake.maxUnavailable || target.maxUnavailable === 0;
}

/** Most percent of the requests that pods can be had for beside the old revision. */
export function reachableWeight(target: TargetView): number {
  if (target.mayTake.maxSurge || target.replicas <= 0) return 100;
  return Math.max(1, weightForPods(extraPods(target), target.replicas));
}

/** What the user's own settings cost, in sentences; empty when all is ours to set. */
export function costs(target: TargetView): string[] {
  const said: string[] = [];
  const { mayTake, replicas, maxUnavailable, maxSurge, progressDeadlineSeconds } = target;
  const missing = resolve(maxUnavailable, replicas, Math.floor);
  if (!mayTake.maxUnavailable && missing > 0) {
    said.push(
      `maxUnavailable ${maxUnavailable} is set in the manifest: while a revision is tried, ${missing} of ${replicas} pods of the old one are missing`,
    );
  }
  if (!mayTake.maxSurge && reachableWeight(target) < 100) {
    said.push(
      `maxSurge ${maxSurge} is set in the manifest: ${extraPods(target)} of ${replicas} pods can be tried, so weights are cut to ${reachableWeight(target)} %`,
    );
  }
  if (!mayTake.progressDeadlineSeconds) {
    said.push(
      `progressDeadlineSeconds ${progressDeadlineSeconds} is set in the manifest: kubectl rollout status gives up after that, whatever the analysis says`,
    );
  }
  return said;
}

function extraPods({ replicas, maxSurge, maxUnavailable }: TargetView): number {
  return resolve(maxSurge, replicas, Math.ceil) + resolve(maxUnavailable, replicas, Math.floor);
}

function resolve(value: number | string, replicas: number, round: (pods: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseFloat(value) * replicas) / 100);
}
