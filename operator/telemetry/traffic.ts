/** Requests that took more than `overMs` and at most `upToMs`; without that: however long. */
export interface DurationBucket {
  readonly overMs: number;
  readonly upToMs?: number;
  readonly count: number;
}

/** What one side of the call saw of one revision in a window of time. */
export interface RevisionTraffic {
  readonly requests: number;
  /** Requests that failed: 5xx, gRPC errors of the server's kind, and requests that got no answer (reset, refused, timed out). */
  readonly failures: number;
  /** 99th percentile of the duration in ms; undefined without requests. */
  readonly p99Ms: number | undefined;
  /** The durations, shortest first; buckets without requests are left out. */
  readonly durations: readonly DurationBucket[];
  /** Proxies that reported in the window. */
  readonly reporters: number;
}

/** One revision of one workload's Services, in a window. */
export interface TrafficQuery {
  readonly namespace: string;
  /** Hostnames of the Services that select the target's pods. */
  readonly services: readonly string[];
  readonly revision: string;
  /** Window in ms since the epoch, [since, until). */
  readonly since: number;
  readonly until: number;
}

/** What was counted on both sides of the call. */
export interface TrafficAnswer {
  /** Seen by the callers' sidecars. */
  readonly callers: RevisionTraffic;
  /** Served by the revision's own sidecars. */
  readonly served: RevisionTraffic;
  /** False when a replica's report is missing or old: no verdict may be based on it. */
  readonly complete: boolean;
  /** Some of the pods whose counts are missing, where it is known which. */
  readonly missing?: readonly string[];
}

/** Port of the canary analysis. */
export interface TrafficSource {
  window(query: TrafficQuery): TrafficAnswer;
}
