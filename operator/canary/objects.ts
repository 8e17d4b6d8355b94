import { REVISION_LABELS } from '../../api/pod-names.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../kube/object.ts';

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

interface Resources {
  limits?: Record<string, string>;
  requests?: Record<string, string>;
}

interface Container {
  name: string;
  restartPolicy?: string;
  resources?: Resources;
}

export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    readinessGates?: { conditionType: string }[];
    containers?: Container[];
    initContainers?: Container[];
    resources?: Resources;
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

/**
 * A revision of a StatefulSet or DaemonSet. Of its `data` (a whole template) the store keeps what `trimControllerRevision` made of it.
 */
export interface ControllerRevision extends KubeObject {
  revision?: number;
  data?: { spec?: { template?: PodTemplate } };
  restartFingerprint?: string;
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

export interface StatefulSet extends KubeObject {
  metadata?: ObjectMeta & { managedFields?: ManagedFields[] };
  spec?: {
    replicas?: number;
    minReadySeconds?: number;
    ordinals?: { start?: number };
    template?: PodTemplate;
    updateStrategy?: { type?: string; rollingUpdate?: { partition?: number; maxUnavailable?: number | string } };
  };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    updateRevision?: string;
  };
}

export interface DaemonSet extends KubeObject {
  metadata?: ObjectMeta & { managedFields?: ManagedFields[] };
  spec?: {
    minReadySeconds?: number;
    template?: PodTemplate;
    updateStrategy?: {
      type?: string;
      rollingUpdate?: { maxSurge?: number | string; maxUnavailable?: number | string };
    };
  };
  status?: {
    observedGeneration?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
  };
}

/** What a Canary can name. */
export type Target = Deployment | StatefulSet | DaemonSet;

export interface Service extends KubeObject {
  spec?: { selector?: Record<string, string>; type?: string };
}

/** Label that tells the revision of a Deployment's pods and ReplicaSets. */
export const REVISION_LABEL = REVISION_LABELS[0];
/** Label that tells the revision of the pods of StatefulSets and DaemonSets. */
export const REVISION_HASH_LABEL = REVISION_LABELS[1];

/** The controller that owns an object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

/** UID of the controller that owns an object, if it is of this kind. */
export function ownerUid(object: KubeObject, kind: string): string | undefined {
  const owner = controllerOf(object);
  return owner?.kind === kind ? owner.uid : undefined;
}

/** The revision a pod belongs to, '' when it has none. */
export function revisionOfPod(pod: Pod): string {
  const labels = pod.metadata?.labels ?? {};
  return REVISION_LABELS.map((label) => labels[label]).find((revision) => revision !== undefined) ?? '';
}
