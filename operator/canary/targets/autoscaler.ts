import type { KubeObject } from '../../../kube/object.ts';
import type { Observation, TargetView } from '../observation.ts';
import { planOf } from '../plan.ts';
import { roomOf } from './target-fitness.ts';

interface ScaledBy {
  type?: string;
  resource?: { name?: string };
  containerResource?: { name?: string };
}

/** A HorizontalPodAutoscaler as far as a canary reads it. KEDA makes one of each ScaledObject. */
export interface Autoscaler extends KubeObject {
  spec?: {
    scaleTargetRef?: { kind?: string; name?: string };
    metrics?: ScaledBy[];
    behavior?: { scaleDown?: { stabilizationWindowSeconds?: number } };
  };
}

/** What Kubernetes waits before it takes pods away, where nobody says otherwise. */
const DEFAULT_WINDOW_SECONDS = 300;
/** What an average may be above the target before Kubernetes adds pods, where nobody says otherwise. */
const TOLERANCE = 0.1;

/**
 * Trims an autoscaler for its store: its status changes every few seconds, and is not read.
 * @returns a smaller object
 */
export function trimAutoscaler<T extends Autoscaler>({ apiVersion, kind, metadata = {}, spec = {} }: T): T {
  const { name, namespace, uid, resourceVersion } = metadata;
  const { scaleTargetRef, metrics, behavior } = spec;
  const small = { metadata: { name, namespace, uid, resourceVersion }, spec: { scaleTargetRef, metrics, behavior } };
  return { apiVersion, kind, ...small } as T;
}

/**
 * Where an autoscaler of the target would be misled by pods that are held, in sentences. It leaves pods that are not Ready out of an
 * average of CPU when it scales down, takes them for idle when it scales up, and counts them for memory. Metrics that are no averages
 * over pods tell it the truth. Nor is it misled where new pods take the places of old ones, for then those that are Ready have as much
 * to do as before.
 */
export function autoscalerCosts(target: TargetView, { autoscaler, spec }: Observation): string[] {
  if (autoscaler === undefined || spec === undefined || target.takesOut > 0) return [];
  const name = `HorizontalPodAutoscaler ${autoscaler.metadata?.name}`;
  const scaledBy = (autoscaler.spec?.metrics ?? []).map(
    (metric) => (metric.resource ?? metric.containerResource)?.name,
  );
  const said: string[] = [];
  const window = autoscaler.spec?.behavior?.scaleDown?.stabilizationWindowSeconds ?? DEFAULT_WINDOW_SECONDS;
  const plan = planOf(spec.analysis, roomOf(target));
  const seconds = Math.ceil(plan.reduce((sum, { checks, intervalMs }) => sum + checks * intervalMs, 0) / 1000);
  if (scaledBy.includes('cpu') && seconds > window) {
    said.push(
      `${name} looks at the CPU of ready pods: while held ones take requests it sees less load than there is, and after ${window} s it takes pods away, though the analysis takes ${seconds} s or more; set its spec.behavior.scaleDown.stabilizationWindowSeconds to ${seconds * 2}`,
    );
  }
  const highest = Math.max(...plan.map(({ weight }) => weight));
  const delay = spec.analysis.traffic === 'Requests' && isByResources(autoscaler) ? describeDelay(highest) : undefined;
  if (scaledBy.includes('cpu') && delay !== undefined) said.push(`${name} ${delay}`);
  if (scaledBy.includes('memory')) {
    said.push(`${name} counts the memory of held pods, so that it may add pods while a revision is tried`);
  }
  return said;
}

/** Of several metrics the one that asks for the most pods counts, so that one of requests makes up for what CPU hides. */
function isByResources({ spec }: Autoscaler): boolean {
  return (spec?.metrics ?? []).every(({ resource, containerResource }) => resource ?? containerResource);
}

/**
 * What a CPU average over pods hides when pods are to be added: Kubernetes puts held ones into it with no use at all, so the requests that they serve are in
 * nobody's sum, and all pods together run at 1 / (1 - weight) times the target before any are added. More pods (`surge`) do not alter that.
 * @param weight the highest of the analysis, in percent
 * @returns undefined where that is less than Kubernetes lets pass anyway
 */
function describeDelay(weight: number): string | undefined {
  const left = (100 - weight) / 100;
  if (1 < (1 + TOLERANCE) * left) return undefined;
  const late =
    left === 0
      ? 'it adds none, however busy they are'
      : `all run at ${(1 / left).toFixed(1)} times its target before it adds any`;
  return `takes held pods for idle when it scales up by CPU: at ${weight} % of the requests ${late}; give it a metric of requests besides (type Pods, or Object or External with averageValue), or end spec.analysis at a lower weight`;
}
