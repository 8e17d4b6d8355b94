/**
 * Pods that a weight needs before it may be put in force.
 * @param weight percent
 * @param replicas pods the target wants in all
 */
export function podsForWeight(weight: number, replicas: number): number {
  return Math.ceil((weight * replicas) / 100);
}

/** The weight that so many pods can carry, in whole percent. */
export function weightForPods(pods: number, replicas: number): number {
  return replicas <= 0 ? 0 : Math.min(100, Math.floor((pods * 100) / replicas));
}
