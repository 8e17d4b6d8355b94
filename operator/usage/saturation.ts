import type { Saturation } from '../../api/view/graph-view.ts';
import { fullness, type LimitedPod } from './fullness.ts';
import type { PodUsage } from './pod-usage.ts';

/** A pod of a workload. */
export interface SaturatedPod extends LimitedPod {
  readonly metadata?: { readonly name?: string | undefined; readonly namespace?: string | undefined } | undefined;
}

export type UsageSaturation = Pick<Saturation, 'cpuCores' | 'cpuShare' | 'memoryBytes' | 'memoryShare'>;

/**
 * How much CPU and memory a workload uses: all its pods together where each of them is known, and the fullest of those that are known against what it may use.
 * @param pods that run
 * @param usage what a pod used lately, as `UsagePoller.usage` tells it
 * @returns undefined where nothing is known of any pod
 */
export function saturationOf(
  pods: readonly SaturatedPod[],
  usage: (namespace: string, pod: string) => PodUsage | undefined,
): UsageSaturation | undefined {
  const known = pods.flatMap((pod) => {
    const { namespace = '', name = '' } = pod.metadata ?? {};
    const used = usage(namespace, name);
    return used ? [{ pod, used }] : [];
  });
  if (known.length === 0) return undefined;
  const whole = known.length === pods.length;
  const fullest = (resource: 'cpu' | 'memory'): number | undefined => {
    const shares = known.flatMap(({ pod, used }) => fullness(pod, used, resource).share ?? []);
    return shares.length === 0 ? undefined : Math.max(...shares);
  };
  const [cpuShare, memoryShare] = [fullest('cpu'), fullest('memory')];
  return {
    ...(whole ? { cpuCores: known.reduce((sum, { used }) => sum + used.cpuCores, 0) } : {}),
    ...(cpuShare === undefined ? {} : { cpuShare }),
    ...(whole ? { memoryBytes: known.reduce((sum, { used }) => sum + used.memoryBytes, 0) } : {}),
    ...(memoryShare === undefined ? {} : { memoryShare }),
  };
}
