import { PROXY_CONTAINER } from '../../api/pod-names.ts';
import type { PodUsage } from './pod-usage.ts';
import { readQuantity } from './quantity.ts';

interface Resources {
  readonly limits?: Readonly<Record<string, string>> | undefined;
  readonly requests?: Readonly<Record<string, string>> | undefined;
}

interface LimitedContainer {
  readonly name: string;
  readonly restartPolicy?: string | undefined;
  readonly resources?: Resources | undefined;
}

/** A pod as far as its limits are read. */
export interface LimitedPod {
  readonly spec?:
    | {
        readonly containers?: readonly LimitedContainer[] | undefined;
        readonly initContainers?: readonly LimitedContainer[] | undefined;
        /** Of the whole pod, where it has such. */
        readonly resources?: Resources | undefined;
      }
    | undefined;
}

/** How full a pod is. */
export interface Fullness {
  /** 0 to 1, and more of what is a request; undefined where it can't be said. */
  readonly share?: number;
  /** The field of a pod's spec that is to be set for it to be said. */
  readonly unlimited?: string;
}

/**
 * How much of what it may use a pod uses: as full as a pod is the fullest of its containers, for that is the one that is throttled or killed. A container is
 * held against its limit, or without one against its request. Our sidecar counts where it has a limit: its request is what it takes at rest. A pod with a
 * limit of its own (`spec.resources`) is held against that as well.
 */
export function fullness(pod: LimitedPod, usage: PodUsage, resource: 'cpu' | 'memory'): Fullness {
  const field = resource === 'cpu' ? 'cpuCores' : 'memoryBytes';
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  const ofPod = positive(resources?.limits?.[resource]);
  const shares = ofPod === undefined ? [] : [usage[field] / ofPod];
  for (const container of [
    ...containers,
    ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ]) {
    const { name } = container;
    const limit = positive(container.resources?.limits?.[resource]);
    const base = limit ?? (name === PROXY_CONTAINER ? undefined : positive(container.resources?.requests?.[resource]));
    if (base === undefined) {
      if (name === PROXY_CONTAINER || ofPod !== undefined) continue;
      const list = containers.includes(container) ? 'containers' : 'initContainers';
      return { unlimited: `spec.${list}[${name}].resources.limits.${resource}` };
    }
    const used = usage.containers.get(name);
    if (used === undefined) return {};
    shares.push(used[field] / base);
  }
  return shares.length === 0 ? {} : { share: Math.max(...shares) };
}

function positive(quantity: string | undefined): number | undefined {
  const value = readQuantity(quantity);
  return value === undefined || value <= 0 ? undefined : value;
}
