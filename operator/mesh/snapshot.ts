import type { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { ObjectKey, ObjectRef } from './object-ref.ts';

/** `ordering.shop.svc.cluster.local`; for an ExternalName Service too (its own cluster name, not the target). */
export type Hostname = string;
/** UID of a pod. */
export type WorkloadUid = string;

/** Mesh-wide settings, from `config/` through the operator's ConfigMap. */
export interface MeshSettings {
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly rootNamespace: string;
}

export type AppProtocol = 'http' | 'http2' | 'grpc' | 'tcp' | 'tls' | 'auto' | 'udp';

/** One port of a Service. `auto` means: sniff (Istio's protocol selection). */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** Number or name, as the Service has it. */
  readonly targetPort: number | string;
  readonly protocol: AppProtocol;
}

/**
 * How a Canary splits every Service that selects its target's pods. It is made so that no side is ever empty: see
 * `split.ts`.
 */
export interface RevisionSplit {
  readonly canary: ObjectRef;
  /** Pod label that tells the revision: `pod-template-hash` or `controller-revision-hash`. */
  readonly label: string;
  readonly stable: string;
  /** Absent when nothing is being released, or no pod of it can serve this Service: all traffic goes to `stable`. */
  readonly next?: string;
  /** Percent of requests that go to `next`, 0 to 100. */
  readonly weight: number;
}

export interface MeshService {
  readonly hostname: Hostname;
  readonly name: string;
  readonly namespace: string;
  readonly kind: 'ClusterIP' | 'Headless' | 'ExternalName';
  /** All cluster IPs (both families); empty for headless and ExternalName. */
  readonly addresses: readonly string[];
  readonly externalName?: string;
  readonly ports: readonly ServicePort[];
  readonly selector: Readonly<Record<string, string>>;
  readonly split?: RevisionSplit;
}

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** An eligible endpoint (see `eligibility.ts`): ready, or held back by our own gate alone. */
export interface Endpoint {
  readonly address: string;
  /** Port number per Service port name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Absent for endpoints that are no pods of this cluster (hand-written slices). */
  readonly workload?: WorkloadUid;
  readonly podName?: string;
  readonly namespace: string;
  /** SPIFFE ID expected of the peer; absent when the endpoint speaks no mesh mTLS. */
  readonly spiffeId?: string;
  /** True when the endpoint's inbound side accepts mesh mTLS on the given target port (label and PeerAuthentication). */
  readonly mtls: boolean;
  /** Target ports without mesh mTLS although `mtls` is true: PeerAuthentication says DISABLE, or they are not the sidecar's. */
  readonly plaintextPorts: readonly number[];
  /**
   * The pod's revision. Under a split it is the side the endpoint belongs to: pods of other revisions that were released
   * before, pods of other owners and endpoints that are no pods count as `stable`; one that is on no side is left out.
   */
  readonly revision: string;
  /** Held back by our gate; only ever true of an endpoint whose revision is the `next` side of the Service's split. */
  readonly gated: boolean;
  readonly locality: Locality;
}

export type MtlsMode = 'STRICT' | 'PERMISSIVE' | 'DISABLE';

/** PeerAuthentication as it applies to one workload (Istio: port over workload over namespace over mesh). */
export interface EffectiveMtls {
  readonly mode: MtlsMode;
  readonly ports: Readonly<Record<number, MtlsMode>>;
  /** Policies that took part, for status. */
  readonly policies: readonly ObjectRef[];
}

/** A port on which an injected pod serves. */
export interface InboundPort {
  readonly port: number;
  readonly protocol: AppProtocol;
  /** Service whose traffic this port serves (the oldest, when several do); for metrics. */
  readonly service?: Hostname;
}

/** An injected pod, i.e. a proxy. */
export interface Workload {
  readonly uid: WorkloadUid;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly addresses: readonly string[];
  readonly spiffeId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `pod-template-hash` or `controller-revision-hash`, '' if neither. */
  readonly revision: string;
  /** Name of what owns the pod (Deployment, StatefulSet, ...), Istio's `source_workload`. */
  readonly owner: string;
  readonly node: string;
  readonly locality: Locality;
  readonly inbound: readonly InboundPort[];
  readonly mtls: EffectiveMtls;
  /** The pod is being deleted: its callers are to find other pods while it still serves. */
  readonly terminating: boolean;
  /** Its sidecar is up with a configuration (startup probe passed); false while it starts or restarts. */
  readonly proxyStarted?: boolean;
}

/** Something a user should know about one object; becomes a condition. */
export interface Problem {
  readonly object: ObjectRef;
  readonly condition: 'Accepted' | 'Conflicted';
  /** CamelCase reason. */
  readonly reason: string;
  readonly message: string;
}

/** A policy as the snapshot sees it. */
export interface PolicyView {
  readonly object: ObjectRef;
  readonly generation: number;
  /** Injected workloads for which it was consulted, that is, was not set aside by an older or a narrower policy. */
  readonly workloads: PersistentSet<WorkloadUid>;
  /** Injected workloads that its namespace and selector match. */
  readonly selected: number;
  readonly problems: readonly Problem[];
}

/** The whole mesh at one moment. Immutable; the next one shares all that did not change. */
export interface MeshSnapshot {
  readonly settings: MeshSettings;
  readonly services: PersistentMap<Hostname, MeshService>;
  readonly endpoints: PersistentMap<Hostname, readonly Endpoint[]>;
  readonly workloads: PersistentMap<WorkloadUid, Workload>;
  readonly policies: PersistentMap<ObjectKey, PolicyView>;
}

/** What differs between two snapshots. Names of added, changed and removed entries. */
export interface MeshDelta {
  readonly services: ReadonlySet<Hostname>;
  readonly endpoints: ReadonlySet<Hostname>;
  readonly workloads: ReadonlySet<WorkloadUid>;
  readonly policies: ReadonlySet<ObjectKey>;
  /** Mesh-wide settings changed: everything is to be rebuilt. */
  readonly settings: boolean;
}
