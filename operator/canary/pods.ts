import { CANARY_GATE, PROXY_CONTAINER } from '../../api/pod-names.ts';
import type { Node, Pod } from './objects.ts';

/** A pod that will not run, whatever is waited for. */
export interface BrokenPod {
  readonly reason: 'PodsCrash' | 'ImagePull';
  readonly message: string;
}

/** What the pods of one revision add up to. */
export interface RevisionPods {
  /** Pods that are there and not on their way out. */
  readonly total: number;
  /** Pods that could serve now: containers ready, and held back by our gate at most. */
  readonly eligible: number;
  /** Pods without our gate. */
  readonly ungated: number;
  /** Pods with our gate still shut. */
  readonly held: number;
  /** Pods with the sidecar. */
  readonly injected: number;
  /** Container restarts, all pods together. */
  readonly restarts: number;
  /** What keeps a container from running for good; undefined: nothing does. */
  readonly broken: BrokenPod | undefined;
  /** Why a pod does not come up, in its own words. */
  readonly trouble: string | undefined;
}

/** Whether the pod has our readiness gate. */
export function hasGate(pod: Pod): boolean {
  return pod.spec?.readinessGates?.some(({ conditionType }) => conditionType === CANARY_GATE) ?? false;
}

/** Whether our readiness gate holds the pod back. */
export function isHeld(pod: Pod): boolean {
  return hasGate(pod) && !conditionIsTrue(pod, CANARY_GATE);
}

/** Whether Kubernetes calls the pod Ready, and it is not on its way out. */
export function isReady(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp === undefined && conditionIsTrue(pod, 'Ready');
}

/** Tells by name whether a node is alive. */
export type NodeReadiness = (node: string) => boolean;

/** Whether the node is alive; one that is not known (its event is yet to come) or says nothing of it counts as alive. */
export function isNodeReady(node: Node | undefined): boolean {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True';
}

/**
 * Whether the pod could serve now: containers ready, not deleting, held back by our gate at most, and on a node that is
 * alive. Of a lost node's pods Kubernetes takes back Ready only: ContainersReady stays as kubelet last wrote it.
 */
export function isEligible(pod: Pod, isNodeAlive: NodeReadiness): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined || !conditionIsTrue(pod, 'ContainersReady')) return false;
  if (lostNode(pod, isNodeAlive) !== undefined) return false;
  const gates = pod.spec?.readinessGates ?? [];
  return gates.every(({ conditionType }) => conditionType === CANARY_GATE || conditionIsTrue(pod, conditionType));
}

/**
 * Since when the pod has served, in ms since the epoch; undefined when it does not. One that only our gate holds back serves the share of
 * requests that its Canary gives it, though Kubernetes does not call it Ready.
 */
export function servingSince(pod: Pod, isNodeAlive: NodeReadiness): number | undefined {
  if (isHeld(pod) && !isEligible(pod, isNodeAlive)) return undefined;
  const type = isHeld(pod) ? 'ContainersReady' : 'Ready';
  const found = pod.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
  // JSON has times as text, whatever the client's declaration says.
  return found && (Date.parse(String(found.lastTransitionTime)) || 0);
}

/** Adds up the pods of one revision. */
export function countPods(pods: readonly Pod[], isNodeAlive: NodeReadiness): RevisionPods {
  const present = pods.filter(({ metadata, status }) => {
    const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    return metadata?.deletionTimestamp === undefined && !over;
  });
  return {
    total: present.length,
    eligible: present.filter((pod) => isEligible(pod, isNodeAlive)).length,
    ungated: present.filter((pod) => !hasGate(pod)).length,
    held: present.filter(isHeld).length,
    injected: present.filter(isInjected).length,
    restarts: present.reduce((sum, pod) => sum + restarts(pod), 0),
    broken: first(present, brokenContainer),
    trouble: first(present, (pod) => trouble(pod, isNodeAlive)),
  };
}

/** Name of the pod's node when that is lost. */
function lostNode({ spec }: Pod, isNodeAlive: NodeReadiness): string | undefined {
  const node = spec?.nodeName;
  return node === undefined || node === '' || isNodeAlive(node) ? undefined : node;
}

function isInjected({ spec }: Pod): boolean {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ name }) => name === PROXY_CONTAINER);
}

function conditionIsTrue({ status }: Pod, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

function statuses({ status }: Pod) {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function restarts(pod: Pod): number {
  return statuses(pod).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}

/** Kubelet's words for what does not come right by waiting. The first failed pull of an image is not among them: the next may do. */
const BROKEN: Readonly<Record<string, [BrokenPod['reason'], string]>> = {
  CrashLoopBackOff: ['PodsCrash', 'crashes again and again'],
  ImagePullBackOff: ['ImagePull', 'has an image that cannot be had'],
  ErrImageNeverPull: ['ImagePull', 'has an image that is not on the node and may not be pulled'],
  InvalidImageName: ['ImagePull', 'has an image whose name is none'],
};

function brokenContainer(pod: Pod): BrokenPod | undefined {
  for (const { name, state } of statuses(pod)) {
    const word = state?.waiting?.reason ?? '';
    const [reason, what] = Object.hasOwn(BROKEN, word) ? (BROKEN[word] ?? []) : [];
    if (reason) return { reason, message: `container ${name} of pod ${pod.metadata?.name} ${what} (${word})` };
  }
  return undefined;
}

/** Reasons for which kubelet says "waiting" about a pod that is just starting. */
const ORDINARY = new Set(['ContainerCreating', 'PodInitializing']);

function trouble(pod: Pod, isNodeAlive: NodeReadiness): string | undefined {
  const lost = lostNode(pod, isNodeAlive);
  if (lost !== undefined) return `pod ${pod.metadata?.name} is on node ${lost}, which is not ready`;
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled) return `pod ${pod.metadata?.name} finds no node (${unscheduled.message ?? unscheduled.reason})`;
  const stuck = statuses(pod).find(({ state }) => state?.waiting?.reason && !ORDINARY.has(state.waiting.reason));
  return stuck && `container ${stuck.name} of pod ${pod.metadata?.name} waits: ${stuck.state?.waiting?.reason}`;
}

function first<T>(pods: readonly Pod[], say: (pod: Pod) => T | undefined): T | undefined {
  for (const pod of pods) {
    const said = say(pod);
    if (said) return said;
  }
  return undefined;
}
