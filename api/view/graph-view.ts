/**
 * What the operator answers on `GET /api/graph?seconds=60&namespace=shop`: who called whom in the last so many seconds. Both parameters may be left out
 * (60, all namespaces).
 */
export interface GraphView extends Completeness {
  /** End of the window, ms since the epoch. */
  readonly at: number;
  /** Length of the window. */
  readonly seconds: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** What is not known is said, and never shown as zero. */
export interface Completeness {
  /** Where the figures come from. */
  readonly source: 'operator' | 'prometheus';
  /** False when reports of some proxies or of another replica of the operator are missing. */
  readonly complete: boolean;
  /** Sentences, such as `no report of shop/ui-1 since 40 s`. */
  readonly missing: readonly string[];
}

/** A service as people name it: the pods of one canonical name, in all versions; or a host outside of the mesh. */
export interface GraphNode {
  /** `namespace/name` of a workload, `host:HOSTNAME` of what is no workload of the mesh, `unknown` for callers without an identity. */
  readonly id: string;
  readonly kind: 'workload' | 'host' | 'unknown';
  /** '' where there is none. */
  readonly namespace: string;
  /** Canonical name (`service.istio.io/canonical-name`, `app.kubernetes.io/name`, `app`, or the owner's), or the hostname. */
  readonly name: string;
  /** Hostnames of the Services that select its pods. */
  readonly services: readonly string[];
  /** Pods with a sidecar, and those of them whose sidecar has a stream to the operator. */
  readonly pods: number;
  readonly connected: number;
  /** What it served; as its callers saw it where they have sidecars. Absent when nobody called it in the window. */
  readonly served?: Golden;
  /**
   * What it took itself to answer, in ms a request: the mean time of what it served, less that of the calls it made meanwhile, both as its own sidecars
   * saw it. Calls that it makes at the same time count as one after the other, so it may be more, and is never less than 0. Absent where nothing was measured.
   */
  readonly ownMs?: number;
  readonly saturation?: Saturation;
  /** `namespace/name` of the Canary whose target's pods these are. */
  readonly canary?: string;
}

/** Calls of one node to another. */
export interface GraphEdge {
  /** `SOURCE>DESTINATION`, ids of nodes. */
  readonly id: string;
  readonly source: string;
  readonly destination: string;
  /** The hostname that was called; '' where only the serving side counted. */
  readonly service: string;
  readonly protocol: 'http' | 'grpc' | 'tcp';
  /** Who counted: the caller's sidecar, or, where the caller has none, the server's. */
  readonly reporter: 'source' | 'destination';
  readonly golden: Golden;
  /** How full the caller's pools of connections are. Absent where that is not known. */
  readonly pool?: PoolFill;
  /** Whether what went over it was encrypted by the mesh. */
  readonly mtls: 'all' | 'some' | 'none' | 'unknown';
  /** The same by revision of the server, where a Canary splits it. */
  readonly revisions: readonly EdgeRevision[];
  /** Answers by code and Envoy's response flags, the most frequent first, at most ten: `{code: '503', flags: 'UF', requests: 3}`. */
  readonly answers: readonly Answer[];
}

export interface Answer {
  /** HTTP status; `0` when there was no answer. */
  readonly code: string;
  /** As Envoy prints them, '-' for none. */
  readonly flags: string;
  /** gRPC status where there is one. */
  readonly grpc?: string;
  /** Counts among the failures of `Golden`. */
  readonly failed: boolean;
  /** In the window. */
  readonly requests: number;
}

export interface EdgeRevision {
  readonly revision: string;
  readonly role: 'stable' | 'canary';
  readonly golden: Golden;
}

/** Latency, traffic and errors in a window. Of TCP: connections and bytes. */
export interface Golden {
  /** Requests, or connections of TCP, in the window. */
  readonly requests: number;
  readonly perSecond: number;
  /** Of `requests`: 5xx, gRPC errors of the server's kind, no answer. Of TCP: connections that failed. */
  readonly failures: number;
  /** ms; absent where nothing was measured. */
  readonly p50Ms?: number;
  readonly p90Ms?: number;
  readonly p99Ms?: number;
  /** Bytes a second; absent where nothing counts them. */
  readonly sentPerSecond?: number;
  readonly receivedPerSecond?: number;
}

/** How full a workload is: the fullest of its pods. Absent fields are not known. */
export interface Saturation {
  /** CPU in cores of all its pods (application and sidecar), and of the fullest pod against its limit, or its request, 0..1 and more. */
  readonly cpuCores?: number;
  readonly cpuShare?: number;
  /** Bytes of all its pods, and of the fullest against its limit. */
  readonly memoryBytes?: number;
  readonly memoryShare?: number;
  /** Open connections and requests under way at its pods. */
  readonly connections?: number;
  readonly active?: number;
  /**
   * Requests that wait for a connection of its callers' pools now, and those (of TCP: connections) that were refused in the window because one was full.
   * What its own sidecars refused is in `ownPool`.
   */
  readonly pending?: number;
  readonly overflow?: number;
  /** The fullest of the pools towards it, see `PoolFill.share`; absent where none has a limit, too. */
  readonly poolShare?: number;
  /**
   * The fullest of the pools of its own sidecars towards the application, one for each port of each pod, with the limits of a Sidecar's
   * `inboundConnectionPool`. Absent: none that was used has a limit, or that is not known.
   */
  readonly ownPool?: PoolFill;
}

/**
 * Pools of connections from one node to another: each pod has one for each port, subset and revision it calls. What each has open is that of the fullest;
 * limits are those of the DestinationRule (`connectionPool`) that is in force for it.
 */
export interface PoolFill {
  readonly connections: PoolLevel;
  /** Requests under way. */
  readonly active: PoolLevel;
  /** Requests that wait for a connection. */
  readonly pending: PoolLevel;
  /** How full, 0 to 1: the greatest share of a limit. Connections that no request is under way on are free. Absent: there is no limit. */
  readonly share?: number;
  /** Requests, of TCP connections, that were refused in the window by any of the pools as it was full. Absent where not known. */
  readonly overflow?: number;
}

export interface PoolLevel {
  readonly now: number;
  /** Absent: there is none. */
  readonly limit?: number;
}
