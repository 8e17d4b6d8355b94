import type { CanaryAnalysis } from '../../api/canary-analysis.ts';

/**
 * The weights of the steps, rising, in percent (Flagger's `stepWeights`, or `stepWeight` up to `maxWeight`).
 * @param reachable most percent that pods can be had for, 1 to 100; steps above it are cut to it
 * @returns at least one weight, none above 100 and none twice
 */
export function stepWeights(analysis: CanaryAnalysis, reachable = 100): readonly number[] {
  const wanted = analysis.stepWeights ?? evenSteps(analysis.stepWeight ?? 10, analysis.maxWeight ?? 100);
  const cut = wanted.map((weight) => Math.max(1, Math.min(weight, reachable, 100)));
  return [...new Set(cut)].sort((a, b) => a - b);
}

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

function evenSteps(step: number, max: number): number[] {
  const weights: number[] = [];
  for (let weight = step; weight < max; weight += step) weights.push(weight);
  return [...weights, max];
}
