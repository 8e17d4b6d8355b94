import type { Completeness } from './graph-view.ts';

/** `GET /api/control-plane`: is the mesh well? */
export interface ControlPlaneView {
  readonly version: string;
  readonly trustDomain: string;
  readonly replicas: readonly ReplicaView[];
  /** Pods with a sidecar, and their sync states. */
  readonly proxies: { readonly total: number } & Readonly<Record<ProxyState, number>>;
  readonly certificates: CertificateView[];
}

export interface ReplicaView {
  readonly name: string;
  readonly leader: boolean;
  /** Whether this replica has its reports. */
  readonly heard: boolean;
  /** Streams that end there; absent where not known. */
  readonly streams?: number;
  /** Why it is not ready, in sentences; absent where not known. */
  readonly problems?: readonly string[];
}

/** `ROOT`, `INTERMEDIATE`, `WEBHOOK`, ... */
export interface CertificateView {
  readonly name: string;
  readonly subject: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Hexadecimal. */
  readonly serial: string;
}

/**
 * `synced`: has acknowledged all that it was sent. `syncing`: something newer is on its way. `stale`: it was for more than 10 s. `rejected`: it refused
 * something. `disconnected`: no stream to any replica. `unknown`: a replica that may know is not heard.
 */
export type ProxyState = 'synced' | 'syncing' | 'stale' | 'rejected' | 'disconnected' | 'unknown';

/** `GET /api/proxies?namespace=shop`. */
export interface ProxiesView {
  readonly at: number;
  readonly complete: boolean;
  readonly proxies: readonly ProxyView[];
}

export interface ProxyView {
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** Canonical name. */
  readonly workload: string;
  readonly node: string;
  readonly state: ProxyState;
  /** Pod of the operator that has its stream. */
  readonly replica?: string;
  /** Ms since the epoch. */
  readonly connectedSince?: number;
  /** When it last reported what it counted, ms since the epoch. */
  readonly lastReport?: number;
  /** By short type name (`listeners`, `clusters`, `endpoints`, `routes`, `virtualHosts`, `secrets`): how many it holds, and of these not the newest. */
  readonly types: Readonly<Record<string, { readonly held: number; readonly stale: number }>>;
  /** What it refused, with Envoy's reason. */
  readonly rejections: readonly { readonly type: string; readonly name: string; readonly message: string }[];
  /** SPIFFE ID, and the end of its certificate (ISO 8601; absent where not known). */
  readonly identity: string;
  readonly certificateNotAfter?: string;
  readonly onDemand: boolean;
}

/** `GET /api/policies?namespace=shop`: every object of Istio's and Heddle's API with what its status says. */
export interface PoliciesView {
  readonly policies: readonly PolicyView[];
}

export interface PolicyView {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
  }[];
  /** Proxies that have it in force, of those that it is about. */
  readonly inForce?: { readonly proxies: number; readonly of: number };
}

/** `GET /api/refusals?seconds=600&namespace=shop`: why was this refused? */
export interface RefusalsView extends Completeness {
  readonly at: number;
  readonly seconds: number;
  readonly refusals: readonly RefusalView[];
}

export interface RefusalView {
  readonly policy: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** `deny`, `no_allow_matched`, `custom`, `token`, `local_limit`, `global_limit`, `connection_limit`. */
  readonly reason: string;
  /** Node that refused (`namespace/name`). */
  readonly workload: string;
  readonly requests: number;
  /** Of how many policies it is one where Envoy does not tell which. */
  readonly among: number;
}

/** `GET /api/canaries`: a List of Canary objects as the API server has them. */
export interface CanariesView {
  readonly canaries: readonly object[];
}

/** Every answer that is no success. */
export interface ErrorView {
  /** A sentence. */
  readonly error: string;
}

/**
 * `GET /api/events` (text/event-stream): event `graph` with a GraphView each five seconds, event `changed` with the name of what to ask anew
 * (`canaries`, `policies`, `proxies`, `control-plane`).
 */
export type EventName = 'graph' | 'changed';
