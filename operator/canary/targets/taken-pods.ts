import type { TargetView } from '../observation.ts';
import type { Check } from './target-fitness.ts';

/** What kinds have in common whose new pods take the places of old ones. */

/** Whether the release of a revision goes on. While Kubernetes has not looked at a change (of the replicas, say) nobody knows better. */
export function isTried(revision: string | undefined, { current }: TargetView): boolean {
  return revision !== undefined && (current === undefined || current === revision);
}

export function refuseOnDelete(target: TargetView, { targetTitle }: Parameters<Check>[1]): ReturnType<Check> {
  if (target.strategy !== 'OnDelete' || target.pausedBy === 'us') return undefined;
  return {
    reason: 'OnDelete',
    message: `spec.updateStrategy.type of ${targetTitle} is OnDelete: its pods are replaced when somebody deletes them, and no release ever begins or ends; set it to RollingUpdate`,
  };
}

export function refuseOnlyPod(target: TargetView, { targetTitle, spec }: Parameters<Check>[1]): ReturnType<Check> {
  const { replicas, takesOut } = target;
  if (replicas === 0 || takesOut < replicas || spec?.takeOnlyPod === true) return undefined;
  const taken = replicas === 1 ? 'its only pod' : `all its ${replicas} pods`;
  const fix = replicas === 1 ? 'run two or more' : 'lower maxUnavailable';
  return {
    reason: 'OnlyPod',
    message: `to try a new revision ${targetTitle} would give ${taken}, and nothing else would serve meanwhile; ${fix}, or set spec.takeOnlyPod of the Canary to true`,
  };
}
