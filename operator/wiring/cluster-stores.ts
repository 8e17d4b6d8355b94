import type { V1EndpointSlice, V1Namespace, V1Node, V1Pod, V1Service } from '@kubernetes/client-node';
import type { AuthorizationPolicy } from '../../api/authorization-policy.ts';
import type { Canary } from '../../api/canary.ts';
import type { DestinationRule } from '../../api/destination-rule.ts';
import type { DiscoverySettings } from '../../api/discovery.ts';
import type { MeshConfig } from '../../api/mesh-config.ts';
import type { PeerAuthentication } from '../../api/peer-authentication.ts';
import type { RateLimitPolicy } from '../../api/rate-limit-policy.ts';
import type { RequestAuthentication } from '../../api/request-authentication.ts';
import type { ServiceEntry } from '../../api/service-entry.ts';
import type { Sidecar } from '../../api/sidecar.ts';
import type { Telemetry } from '../../api/telemetry.ts';
import type { VirtualService } from '../../api/virtual-service.ts';
import type { WorkloadEntry } from '../../api/workload-entry.ts';
import {
  AUTHORIZATION_POLICY,
  CANARY,
  CONTROLLER_REVISION,
  DAEMON_SET,
  DEPLOYMENT,
  DESTINATION_RULE,
  ENDPOINT_SLICE,
  HORIZONTAL_POD_AUTOSCALER,
  NAMESPACE,
  NODE,
  PEER_AUTHENTICATION,
  POD,
  RATE_LIMIT_POLICY,
  REPLICA_SET,
  REQUEST_AUTHENTICATION,
  SERVICE,
  SERVICE_ENTRY,
  SIDECAR,
  STATEFUL_SET,
  TELEMETRY,
  VIRTUAL_SERVICE,
  WORKLOAD_ENTRY,
} from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { dropManagedFields, Reflector, type ReflectorOptions } from '../../kube/reflector.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { ReadStore } from '../../kube/store.ts';
import type {
  Node as CanaryNode,
  Pod as CanaryPod,
  Service as CanaryService,
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from '../canary/objects.ts';
import { isNodeReady, servingSince } from '../canary/pods.ts';
import { type Autoscaler, trimAutoscaler } from '../canary/targets/autoscaler.ts';
import { trimTarget } from '../canary/targets/borrowed-fields.ts';
import { trimControllerRevision } from '../canary/targets/controller-revisions.ts';
import { isInjected } from '../mesh/pod.ts';
import type { StoredPolicy } from '../status/policy-objects.ts';
import { DiscoveredNamespaces } from './discovered-namespaces.ts';
import { RewrittenAddresses } from './rewritten-addresses.ts';

/** A pod as both the mesh and the canary read it. */
export type Pod = V1Pod & CanaryPod;
/** A Service as both the mesh and the canary read it. */
export type Service = V1Service & CanaryService;

/** A node as both the mesh and the canary read it. */
export type Node = V1Node & CanaryNode;

type WatchApi = Pick<KubeApi, 'list' | 'watch'>;

/** Index of pods by UID. */
export const BY_UID = 'uid';
/** Index of pods by each of their addresses; pods on the host network are left out, for they share the node's. */
export const BY_ADDRESS = 'address';

/** Everything of the cluster that the operator watches. */
export class ClusterStores {
  readonly #reflectors: Pick<Reflector<KubeObject>, 'start' | 'stop' | 'reselect'>[] = [];
  readonly #api: WatchApi;
  readonly #logger: Logger;
  /** The namespaces that the mesh consists of; of the others not everything is kept. */
  readonly discovery: DiscoveredNamespaces;
  readonly namespaces;
  readonly nodes;
  /** Where connections of pods come from whose addresses the network rewrites. */
  readonly rewritten: RewrittenAddresses;
  readonly pods;
  readonly services;
  readonly endpointSlices;
  readonly deployments;
  readonly replicaSets;
  readonly statefulSets;
  readonly daemonSets;
  readonly controllerRevisions;
  readonly autoscalers;
  readonly canaries;
  readonly authorizationPolicies;
  readonly peerAuthentications;
  readonly requestAuthentications;
  readonly rateLimitPolicies;
  readonly virtualServices;
  readonly destinationRules;
  readonly serviceEntries;
  readonly workloadEntries;
  readonly sidecars;
  readonly telemetries;

  /**
   * @param settings say which namespaces the mesh consists of, and from which addresses sidecars connect besides their own
   * @param own the operator's namespace
   */
  constructor(
    api: WatchApi,
    logger: Logger,
    settings: DiscoverySettings & { readonly proxy: Pick<MeshConfig['proxy'], 'natAddresses'> },
    own: string,
  ) {
    this.#api = api;
    this.#logger = logger;
    this.namespaces = this.#watch<V1Namespace & KubeObject>(NAMESPACE);
    this.discovery = new DiscoveredNamespaces(settings, own, this.namespaces);
    this.nodes = this.#watch<Node>(NODE, trimNode);
    this.rewritten = new RewrittenAddresses(this.nodes, settings.proxy.natAddresses);
    this.pods = this.#watch<Pod>(POD, trimPod, restOfPod)
      .addIndex(BY_UID, ({ metadata }) => (metadata?.uid === undefined ? [] : [metadata.uid]))
      .addIndex(BY_ADDRESS, ({ spec, status }) =>
        spec?.hostNetwork === true ? [] : (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : [])),
      );
    this.services = this.#watch<Service>(SERVICE, dropManagedFields, nothing);
    this.endpointSlices = this.#watch<V1EndpointSlice & KubeObject>(ENDPOINT_SLICE, dropManagedFields, nothing);
    // The canary controller reads managedFields: who set a field decides whether it may be borrowed.
    this.deployments = this.#watch<Deployment>(DEPLOYMENT, trimTarget);
    this.statefulSets = this.#watch<StatefulSet>(STATEFUL_SET, trimPodOwner);
    this.daemonSets = this.#watch<DaemonSet>(DAEMON_SET, trimPodOwner);
    this.controllerRevisions = this.#watch<ControllerRevision>(CONTROLLER_REVISION, trimControllerRevision, nothing);
    this.autoscalers = this.#watch<Autoscaler>(HORIZONTAL_POD_AUTOSCALER, trimAutoscaler, nothing);
    this.replicaSets = this.#watch<ReplicaSet>(REPLICA_SET, dropManagedFields, restOfReplicaSet);
    this.canaries = this.#watch<Canary>(CANARY);
    this.authorizationPolicies = this.#watch<AuthorizationPolicy>(AUTHORIZATION_POLICY);
    this.peerAuthentications = this.#watch<PeerAuthentication>(PEER_AUTHENTICATION);
    this.requestAuthentications = this.#watch<RequestAuthentication>(REQUEST_AUTHENTICATION);
    this.rateLimitPolicies = this.#watch<RateLimitPolicy>(RATE_LIMIT_POLICY);
    this.virtualServices = this.#watch<VirtualService>(VIRTUAL_SERVICE);
    this.destinationRules = this.#watch<DestinationRule>(DESTINATION_RULE);
    this.serviceEntries = this.#watch<ServiceEntry>(SERVICE_ENTRY);
    this.workloadEntries = this.#watch<WorkloadEntry>(WORKLOAD_ENTRY);
    this.sidecars = this.#watch<Sidecar>(SIDECAR);
    this.telemetries = this.#watch<Telemetry>(TELEMETRY);
  }

  /** Kinds whose objects are policies, each with its store. */
  get policyKinds(): readonly { readonly kind: ResourceKind; readonly store: ReadStore<StoredPolicy> }[] {
    return [
      { kind: AUTHORIZATION_POLICY, store: this.authorizationPolicies },
      { kind: PEER_AUTHENTICATION, store: this.peerAuthentications },
      { kind: REQUEST_AUTHENTICATION, store: this.requestAuthentications },
      { kind: RATE_LIMIT_POLICY, store: this.rateLimitPolicies },
      { kind: VIRTUAL_SERVICE, store: this.virtualServices },
      { kind: DESTINATION_RULE, store: this.destinationRules },
      { kind: SERVICE_ENTRY, store: this.serviceEntries },
      { kind: WORKLOAD_ENTRY, store: this.workloadEntries },
      { kind: SIDECAR, store: this.sidecars },
      { kind: TELEMETRY, store: this.telemetries },
    ];
  }

  /** Begins to watch; resolves when every first list is there. */
  async start(): Promise<void> {
    const [namespaces] = this.#reflectors;
    // Else all would be left out at first, and then be fetched namespace by namespace.
    if (!this.discovery.everything) await namespaces?.start();
    await Promise.all(this.#reflectors.map((reflector) => reflector.start()));
    this.discovery.onSwitch((namespace) => {
      for (const reflector of this.#reflectors) reflector.reselect(namespace);
    });
  }

  /** Since when the pod with this UID has served, in ms since the epoch; undefined when it does not. */
  servingSince(uid: string): number | undefined {
    const [pod] = this.pods.byIndex(BY_UID, uid);
    return pod && servingSince(pod, (node) => isNodeReady(this.nodes.get(node)));
  }

  /** UIDs of the pods of a namespace that run our sidecar. */
  proxiesIn(namespace: string): string[] {
    const pods = [...this.pods.list()].filter((pod) => pod.metadata?.namespace === namespace && isInjected(pod));
    return pods.flatMap(({ metadata }) => metadata?.uid ?? []);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  /** @param rest what is kept of objects in namespaces that are not discovered; absent: all of them */
  #watch<T extends KubeObject>(
    kind: ResourceKind,
    transform: (object: T) => T = dropManagedFields,
    rest?: (object: T) => T | undefined,
  ) {
    const wants = (namespace: string): boolean => this.discovery.has(namespace);
    const selection = rest && { wants, rest };
    const options: ReflectorOptions<T> = { api: this.#api, kind, logger: this.#logger, transform, ...selection };
    const reflector = new Reflector<T>(options);
    this.#reflectors.push(reflector);
    return reflector.store;
  }
}

/**
 * What is read of a node are its labels, its addresses and whether it is Ready; of a kubelet's heartbeat nothing but the version is left,
 * and the images a node lists are larger than all the rest.
 */
export function trimNode(node: Node): Node {
  const { apiVersion = 'v1', kind = 'Node', metadata = {}, spec, status } = node;
  const { name, uid, resourceVersion, labels } = metadata;
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => type === 'Ready')
    .map(({ type, status: ready }) => ({ type, status: ready }));
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, labels } as V1Node['metadata'] & object,
    ...(spec?.podCIDRs && { spec: { podCIDRs: spec.podCIDRs } }),
    status: { conditions, ...(status?.addresses && { addresses: status.addresses }) },
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

/** A StatefulSet or DaemonSet: which revision its template is the API server says, so that of the template the labels are read only. */
function trimPodOwner<T extends StatefulSet | DaemonSet>(owner: T): T {
  trimTarget(owner);
  if (owner.spec?.template) owner.spec.template = { metadata: { labels: owner.spec.template.metadata?.labels ?? {} } };
  return owner;
}

function nothing(): undefined {
  return undefined;
}

/**
 * What is kept of a pod in a namespace that is not discovered: whose address it has, lest another pod's token be good there. One with our sidecar is
 * kept whole: its proxy is to hear why it is not served, and its gate may have to be opened.
 */
export function restOfPod(pod: Pod): Pod {
  if (isInjected(pod)) return pod;
  const { apiVersion = 'v1', kind = 'Pod', metadata = {}, spec, status } = pod;
  const { name, namespace, uid } = metadata;
  const { hostNetwork } = spec ?? {};
  const { phase, podIPs } = status ?? {};
  // Undefined is no text for those types, and in JSON it is nothing.
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, uid },
    spec: { hostNetwork },
    status: { phase, podIPs },
  } as Pod;
}

/** Of ReplicaSets there are many with nothing in them; the others may be of a Deployment whose Canary is told that it is not in force. */
export function restOfReplicaSet(replicaSet: ReplicaSet): ReplicaSet | undefined {
  const { spec, status } = replicaSet;
  return (spec?.replicas ?? 1) > 0 || (status?.replicas ?? 0) > 0 ? replicaSet : undefined;
}
