import type { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { CanarySide } from '../../api/canary-side.ts';
import type { DefaultProviders } from '../../api/default-providers.ts';
import type { ExtensionProvider } from '../../api/extension-provider.ts';
import type { ConfigurationLoading, PathNormalization, TlsVersion } from '../../api/mesh-config.ts';
import type { ConnectionPool } from '../../api/traffic-policy-connection-pool.ts';
import type { AttachedPolicy } from './authorization.ts';
import type { DestinationPolicy } from './destination-policy.ts';
import type { ObjectKey, ObjectRef } from './object-ref.ts';
import type { AttachedRateLimits } from './rate-limits.ts';
import type { RouteRule } from './route-rule.ts';
import type { Labels } from './selector.ts';
import type { SidecarScope } from './sidecar-scope.ts';
import type { SplitTerms } from './split-terms.ts';
import type { WorkloadTelemetry } from './telemetry.ts';
import type { AttachedTokens } from './tokens.ts';
import type { Visibility } from './visibility.ts';

/** `ordering.shop.svc.cluster.local`; for an ExternalName Service too (its own cluster name, not the target). */
export type Hostname = string;
/** Key of a service: the hostname of a Kubernetes Service, `namespace/hostname` of a ServiceEntry's host. */
export type ServiceKey = string;
/** UID of a pod. */
export type WorkloadUid = string;

/** What becomes of connections to hosts that the mesh does not know. */
export type OutboundPolicy = 'ALLOW_ANY' | 'REGISTRY_ONLY';

/** Mesh-wide settings, from `config/` through the operator's ConfigMap. */
export interface MeshSettings {
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly rootNamespace: string;
  readonly outboundTrafficPolicy: { readonly mode: OutboundPolicy };
  /** Absent: TLS 1.3. */
  readonly meshMTLS?: { readonly minProtocolVersion: TlsVersion };
  /** Absent: `BASE`. */
  readonly pathNormalization?: { readonly normalization: PathNormalization };
  readonly proxy: { readonly configurationLoading: ConfigurationLoading };
  /** Whether global counts are kept in Redis; absent: in the operator's memory. */
  readonly rateLimits?: { readonly redis: boolean };
  /** Whom policies with action CUSTOM may ask, and whom Telemetry resources may tell. */
  readonly extensionProviders?: readonly ExtensionProvider[];
  /** Who is told where no Telemetry says who. */
  readonly defaultProviders?: DefaultProviders;
  /** The operator reads calls in a Prometheus; absent: it counts them itself. */
  readonly prometheus?: unknown;
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
 * How a Canary splits every Service that selects its target's pods, or on which side one that is an address of a side stands. It is made so that no side is ever empty: see
 * `split.ts`.
 */
export interface RevisionSplit {
  readonly canary: ObjectRef;
  readonly stable: string;
  /** Absent when nothing is being released, or no pod of it can serve this Service: all traffic goes to `stable`. */
  readonly next?: string;
  /** Percent of requests that go to `next`, 0 to 100. */
  readonly weight: number;
  /** The Service is the address of this side: its weight is 0 or 100, and never what the Canary asked for. */
  readonly side?: CanarySide;
  /** What the Canary asked for, where `weight` is 100 for want of a stable pod. */
  readonly asked?: number;
  /** Absent: the weight is all there is. */
  readonly terms?: SplitTerms;
}

/** How a service's endpoints are found: known to the mesh, by DNS (all answers, or the first), or by the address the client chose. */
export type Resolution = 'endpoints' | 'dns' | 'dns-round-robin' | 'original-destination';

export interface MeshService {
  readonly key: ServiceKey;
  /** May begin with `*.` for a ServiceEntry. */
  readonly hostname: Hostname;
  readonly name: string;
  readonly namespace: string;
  /** `Entry`: a ServiceEntry. */
  readonly kind: 'ClusterIP' | 'Headless' | 'ExternalName' | 'Entry';
  /** The Service or ServiceEntry. */
  readonly object: ObjectRef;
  /** Ms since the epoch; where two claim one hostname the older wins. */
  readonly createdAt: number;
  readonly visibility: Visibility;
  readonly resolution: Resolution;
  /** Outside of the mesh (MESH_EXTERNAL): no mTLS of ours, no identity. */
  readonly external: boolean;
  /** All cluster IPs (both families); empty for headless and ExternalName. A ServiceEntry's may be blocks (`10.0.0.0/8`). */
  readonly addresses: readonly string[];
  /** Address that sidecars which answer DNS give clients for a host that has none. */
  readonly dnsAddress?: string;
  /** Names its servers' certificates may have (ServiceEntry `subjectAltNames`); empty: not said. */
  readonly subjectAltNames: readonly string[];
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
  /** An IP; of services that are resolved by DNS, a name. */
  readonly address: string;
  /** Labels by which subsets choose: the pod's, or the WorkloadEntry's. */
  readonly labels: Labels;
  /** Share among its equals, 1 unless a WorkloadEntry says otherwise. */
  readonly weight: number;
  /** Port number per Service port name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Absent for endpoints that are no pods of this cluster (hand-written slices). */
  readonly workload?: WorkloadUid;
  /** The WorkloadEntry that it is, when it is one. */
  readonly entry?: ObjectKey;
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
  /** Where the application listens, when that is not this port at the address the caller used (Sidecar `defaultEndpoint`). `0.0.0.0`: that address. */
  readonly target?: { readonly address: string; readonly port: number };
  /** Limits of what it takes (Sidecar `connectionPool`), as Istio's API has them. */
  readonly connectionPool?: ConnectionPool;
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
  /** Who may call it, and what. */
  readonly authorization: readonly AttachedPolicy[];
  /** Which tokens of end users are valid. */
  readonly tokens: readonly AttachedTokens[];
  /** How much it takes. */
  readonly rateLimits: readonly AttachedRateLimits[];
  /** What is told of its requests; absent: nothing but the metrics that everybody has. */
  readonly telemetry?: WorkloadTelemetry;
  /** The Sidecar that applies to its outbound side. */
  readonly sidecar?: ObjectKey;
  /** Its sidecar answers the application's DNS queries. */
  readonly dnsCapture: boolean;
  /** Its sidecar has a file that says how many lines of refusals it may write (`proxy/refusal-budget.ts`); one injected before had none. */
  readonly boundsRefusalLog?: boolean;
  /** Its sidecar is sent clusters of HTTP when they are first used. */
  readonly onDemand: boolean;
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

/**
 * Whose proxies a policy is about: workloads one by one, for policies of few; or all of some namespaces (and, with `labels`, those of them that
 * have these), for policies of callers, of which there may be as many as there are workloads.
 */
export type PolicyReach =
  | { readonly kind: 'workloads'; readonly workloads: PersistentSet<WorkloadUid> }
  | { readonly kind: 'clients'; readonly visibility: Visibility; readonly labels: Labels };

/** A policy as the snapshot sees it. */
export interface PolicyView {
  readonly object: ObjectRef;
  readonly generation: number;
  /** Injected workloads for which it was consulted, that is, was not set aside by an older or a narrower policy. */
  readonly reach: PolicyReach;
  /** Injected workloads that its namespace and selector match; 0 where nobody counted (reach `clients`). */
  readonly selected: number;
  readonly problems: readonly Problem[];
  /** It decides nothing; what it would have decided is counted. */
  readonly dryRun?: true;
  /** It has limits that are counted in Redis: what becomes of requests while that can't be asked. */
  readonly failureMode?: 'Open' | 'Closed';
  /** Where `problems` leave parts of it in force: what the condition Accepted says besides. */
  readonly notes: readonly string[];
}

/** The whole mesh at one moment. Immutable; the next one shares all that did not change. */
export interface MeshSnapshot {
  readonly settings: MeshSettings;
  readonly services: PersistentMap<ServiceKey, MeshService>;
  readonly endpoints: PersistentMap<ServiceKey, readonly Endpoint[]>;
  readonly workloads: PersistentMap<WorkloadUid, Workload>;
  readonly routeRules: PersistentMap<ObjectKey, RouteRule>;
  readonly destinationPolicies: PersistentMap<ObjectKey, DestinationPolicy>;
  readonly sidecars: PersistentMap<ObjectKey, SidecarScope>;
  readonly policies: PersistentMap<ObjectKey, PolicyView>;
}

/** What differs between two snapshots. Names of added, changed and removed entries. */
export interface MeshDelta {
  readonly services: ReadonlySet<ServiceKey>;
  readonly endpoints: ReadonlySet<ServiceKey>;
  readonly workloads: ReadonlySet<WorkloadUid>;
  readonly routeRules: ReadonlySet<ObjectKey>;
  readonly destinationPolicies: ReadonlySet<ObjectKey>;
  readonly sidecars: ReadonlySet<ObjectKey>;
  readonly policies: ReadonlySet<ObjectKey>;
  /** Mesh-wide settings changed: everything is to be rebuilt. */
  readonly settings: boolean;
}
