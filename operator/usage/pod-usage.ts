/** A sample whose end is longer ago, in ms, says nothing of now. */
export const STALE_MS = 90_000;

/** What one container used. */
export interface ContainerUsage {
  readonly cpuCores: number;
  /** Its working set: what can't be taken from it without harm. */
  readonly memoryBytes: number;
}

/** One sample of what a pod used, all its containers together: the sidecar is one of them. */
export interface PodUsage extends ContainerUsage {
  /** End of the time it is about, in ms since the epoch, by the node's clock. */
  readonly at: number;
  /** Length of that time in ms, over which the CPU is a mean; the memory is that of its end. */
  readonly windowMs: number;
  readonly containers: ReadonlyMap<string, ContainerUsage>;
}

/** Why nothing is known. */
export interface UsageProblem {
  readonly reason: 'NoMetricsApi' | 'MetricsApiForbidden' | 'MetricsApiFailed';
  /** A sentence that says what to do about it. */
  readonly message: string;
}

/** What the pods of a namespace used, as it was last told. */
export interface NamespaceUsage {
  /** The newest sample of each pod, by name; those of the last answer, however old that is. */
  readonly pods: ReadonlyMap<string, PodUsage>;
  /** Why the newest question had no answer; undefined: it had one. */
  readonly problem: UsageProblem | undefined;
}

/** Tells what pods use. Whoever asks is told what is known already, and that somebody asks keeps it fresh for half a minute. */
export interface UsageSource {
  /** Undefined: nothing was answered yet. */
  ofNamespace(namespace: string): NamespaceUsage | undefined;
}
