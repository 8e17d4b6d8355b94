import type { KubeObject, ObjectMeta } from '../../kube/object.ts';

/** Kubernetes objects as far as a canary reads them. */

export interface PodCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string | Date;
}

export interface ContainerStatus {
  name: string;
  restartCount?: number;
  state?: { waiting?: { reason?: string; message?: string }; running?: object; terminated?: { reason?: string } };
}

export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    readinessGates?: { conditionType: string }[];
    containers?: { name: string }[];
    initContainers?: { name: string }[];
  };
  status?: {
    phase?: string;
    conditions?: PodCondition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  };
}

export interface Node extends KubeObject {
  status?: { conditions?: PodCondition[] };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: object;
}

export interface ReplicaSet extends KubeObject {
  spec?: { replicas?: number; template?: PodTemplate };
  status?: { replicas?: number; readyReplicas?: number; availableReplicas?: number };
}

/** One entry of `metadata.managedFields`. */
export interface ManagedFields {
  manager?: string;
  operation?: string;
  subresource?: string;
  fieldsV1?: Record<string, unknown>;
}

export interface Deployment extends KubeObject {
  metadata?: ObjectMeta & { managedFields?: ManagedFields[] };
  spec?: {
    replicas?: number;
    paused?: boolean;
    minReadySeconds?: number;
    progressDeadlineSeconds?: number;
    template?: PodTemplate;
    strategy?: { type?: string; rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string } };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    readyReplicas?: number;
    availableReplicas?: number;
    conditions?: PodCondition[];
  };
}

export interface Service extends KubeObject {
  spec?: { selector?: Record<string, string>; type?: string };
}

/** Label that tells the revision of a Deployment's pods and ReplicaSets. */
export const REVISION_LABEL = 'pod-template-hash';

/** UID of the controller that owns an object, if it is of this kind. */
export function ownerUid(object: KubeObject, kind: string): string | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true && owner.kind === kind)?.uid;
}

/** The revision a pod belongs to, '' when it has none. */
export function revisionOfPod(pod: Pod): string {
  return pod.metadata?.labels?.[REVISION_LABEL] ?? '';
}
