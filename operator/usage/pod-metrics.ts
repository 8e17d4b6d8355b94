import type { ContainerUsage, PodUsage } from './pod-usage.ts';
import { readQuantity } from './quantity.ts';

/** A PodMetrics of `metrics.k8s.io` as it is declared; what really comes is looked at. */
export interface PodMetrics {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly timestamp?: string;
  readonly window?: string;
  readonly containers?: readonly {
    readonly name?: string;
    readonly usage?: { readonly cpu?: string; readonly memory?: string };
  }[];
}

/** More containers than a pod can have for any good reason. */
const MAX_CONTAINERS = 100;

/** As Go writes a duration: `15s`, `1m2.5s`, `800ms`. */
const WINDOW = /^(?:([0-9]{1,4})h)?(?:([0-9]{1,4})m)?(?:([0-9]{1,6}(?:\.[0-9]{1,9})?)(ms|s))?$/;

/**
 * Reads one PodMetrics.
 * @returns undefined when any of it is none: half of what a pod uses would pass for all of it
 */
export function readPodMetrics(metrics: PodMetrics): PodUsage | undefined {
  const { timestamp, window, containers } = metrics ?? {};
  const at = Date.parse(String(timestamp));
  const windowMs = readWindow(window);
  if (Number.isNaN(at) || windowMs === undefined || !Array.isArray(containers)) return undefined;
  if (containers.length === 0 || containers.length > MAX_CONTAINERS) return undefined;
  const read = new Map<string, ContainerUsage>();
  for (const container of containers as NonNullable<PodMetrics['containers']>) {
    const { name, usage } = container ?? {};
    const cpuCores = readQuantity(usage?.cpu);
    const memoryBytes = readQuantity(usage?.memory);
    if (typeof name !== 'string' || cpuCores === undefined || memoryBytes === undefined) return undefined;
    read.set(name, { cpuCores, memoryBytes });
  }
  const all = [...read.values()];
  return {
    at,
    windowMs,
    cpuCores: all.reduce((sum, one) => sum + one.cpuCores, 0),
    memoryBytes: all.reduce((sum, one) => sum + one.memoryBytes, 0),
    containers: read,
  };
}

function readWindow(window: unknown): number | undefined {
  const [all, hours = 0, minutes = 0, rest = 0, unit] = WINDOW.exec(String(window)) ?? [];
  if (!all) return undefined;
  const ms = Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(rest) * (unit === 'ms' ? 1 : 1000);
  return ms > 0 ? ms : undefined;
}
