import type { V1EndpointSlice, V1Namespace, V1Node, V1Pod, V1Service } from '@kubernetes/client-node';
import type { Canary } from '../../api/canary.ts';
import type { DestinationRule } from '../../api/destination-rule.ts';
import type { PeerAuthentication } from '../../api/peer-authentication.ts';
import type { ServiceEntry } from '../../api/service-entry.ts';
import type { Sidecar } from '../../api/sidecar.ts';
import type { VirtualService } from '../../api/virtual-service.ts';
import type { WorkloadEntry } from '../../api/workload-entry.ts';
import {
  CANARY,
  DEPLOYMENT,
  DESTINATION_RULE,
  ENDPOINT_SLICE,
  NAMESPACE,
  NODE,
  PEER_AUTHENTICATION,
  POD,
  REPLICA_SET,
  SERVICE,
  SERVICE_ENTRY,
  SIDECAR,
  VIRTUAL_SERVICE,
  WORKLOAD_ENTRY,
} from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { dropManagedFields, Reflector, type ReflectorOptions } from '../../kube/reflector.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { ReadStore } from '../../kube/store.ts';
import { trimDeployment } from '../canary/borrowed-fields.ts';
import type {
  Node as CanaryNode,
  Pod as CanaryPod,
  Service as CanaryService,
  Deployment,
  ReplicaSet,
} from '../canary/objects.ts';
import type { StoredPolicy } from '../status/policy-objects.ts';

/** A pod as both the mesh and the canary read it. */
export type Pod = V1Pod & CanaryPod;
/** A Service as both the mesh and the canary read it. */
export type Service = V1Service & CanaryService;

/** A node as both the mesh and the canary read it. */
export type Node = V1Node & CanaryNode;

/** Index of pods by UID. */
export const BY_UID = 'uid';
/** Index of pods by each of their addresses; pods on the host network are left out, for they share the node's. */
export const BY_ADDRESS = 'address';

/** Everything of the cluster that the operator watches. */
export class ClusterStores {
  readonly #reflectors: Pick<Reflector<KubeObject>, 'start' | 'stop'>[] = [];
  readonly #api: KubeApi;
  readonly #logger: Logger;
  readonly namespaces;
  readonly nodes;
  readonly pods;
  readonly services;
  readonly endpointSlices;
  readonly deployments;
  readonly replicaSets;
  readonly canaries;
  readonly peerAuthentications;
  readonly virtualServices;
  readonly destinationRules;
  readonly serviceEntries;
  readonly workloadEntries;
  readonly sidecars;

  constructor(api: KubeApi, logger: Logger) {
    this.#api = api;
    this.#logger = logger;
    this.namespaces = this.#watch<V1Namespace & KubeObject>(NAMESPACE);
    this.nodes = this.#watch<Node>(NODE, trimNode);
    this.pods = this.#watch<Pod>(POD, trimPod)
      .addIndex(BY_UID, ({ metadata }) => (metadata?.uid === undefined ? [] : [metadata.uid]))
      .addIndex(BY_ADDRESS, ({ spec, status }) =>
        spec?.hostNetwork === true ? [] : (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : [])),
      );
    this.services = this.#watch<Service>(SERVICE);
    this.endpointSlices = this.#watch<V1EndpointSlice & KubeObject>(ENDPOINT_SLICE);
    // The canary controller reads managedFields: who set a field decides whether it may be borrowed.
    this.deployments = this.#watch<Deployment>(DEPLOYMENT, trimDeployment);
    this.replicaSets = this.#watch<ReplicaSet>(REPLICA_SET);
    this.canaries = this.#watch<Canary>(CANARY);
    this.peerAuthentications = this.#watch<PeerAuthentication>(PEER_AUTHENTICATION);
    this.virtualServices = this.#watch<VirtualService>(VIRTUAL_SERVICE);
    this.destinationRules = this.#watch<DestinationRule>(DESTINATION_RULE);
    this.serviceEntries = this.#watch<ServiceEntry>(SERVICE_ENTRY);
    this.workloadEntries = this.#watch<WorkloadEntry>(WORKLOAD_ENTRY);
    this.sidecars = this.#watch<Sidecar>(SIDECAR);
  }

  /** Kinds whose objects are policies, each with its store. */
  get policyKinds(): readonly { readonly kind: ResourceKind; readonly store: ReadStore<StoredPolicy> }[] {
    return [
      { kind: PEER_AUTHENTICATION, store: this.peerAuthentications },
      { kind: VIRTUAL_SERVICE, store: this.virtualServices },
      { kind: DESTINATION_RULE, store: this.destinationRules },
      { kind: SERVICE_ENTRY, store: this.serviceEntries },
      { kind: WORKLOAD_ENTRY, store: this.workloadEntries },
      { kind: SIDECAR, store: this.sidecars },
    ];
  }

  /** Begins to watch; resolves when every first list is there. */
  async start(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.start()));
  }

  /** When the pod with this UID became Ready, in ms since the epoch; undefined when it is not. */
  readySince(uid: string): number | undefined {
    const conditions = this.pods.byIndex(BY_UID, uid)[0]?.status?.conditions ?? [];
    const ready = conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
    // JSON has times as text, whatever the client's declaration says.
    return ready && (Date.parse(String(ready.lastTransitionTime)) || 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  #watch<T extends KubeObject>(kind: ResourceKind, transform: (object: T) => T = dropManagedFields) {
    const options: ReflectorOptions<T> = { api: this.#api, kind, logger: this.#logger, transform };
    const reflector = new Reflector<T>(options);
    this.#reflectors.push(reflector);
    return reflector.store;
  }
}

/**
 * What is read of a node are its labels and whether it is Ready; of a kubelet's heartbeat nothing but the version is left,
 * and the images a node lists are larger than all the rest.
 */
export function trimNode(node: Node): Node {
  const { apiVersion = 'v1', kind = 'Node', metadata = {}, status } = node;
  const { name, uid, resourceVersion, labels } = metadata;
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => type === 'Ready')
    .map(({ type, status: ready }) => ({ type, status: ready }));
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, labels } as V1Node['metadata'] & object,
    status: { conditions },
  };
}

/** Pods are the bulk of a cluster's objects; their volumes and the commands of their containers interest nobody here. */
function trimPod(pod: Pod): Pod {
  dropManagedFields(pod);
  if (pod.spec) {
    delete pod.spec.volumes;
    delete pod.spec.tolerations;
    for (const container of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
      for (const field of ['env', 'envFrom', 'args', 'command', 'volumeMounts'] as const) delete container[field];
    }
  }
  return pod;
}
