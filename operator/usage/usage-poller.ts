import { POD_METRICS } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isKubeError, isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import { WorkQueue } from '../../kube/work-queue.ts';
import { type PodMetrics, readPodMetrics } from './pod-metrics.ts';
import { type NamespaceUsage, type PodUsage, STALE_MS, type UsageProblem, type UsageSource } from './pod-usage.ts';

/** Namespaces that are asked about at once. */
const AT_ONCE = 4;
/** Between an answer and the next question; the metrics server has a new sample of a pod each 15 s. */
const PAUSE_MS = 10_000;
const TIMEOUT_MS = 10_000;
/** So long after it was last asked for, a namespace is asked about no more. */
const LEASE_MS = 30_000;

export interface UsagePollerOptions {
  readonly api: Pick<KubeApi, 'list'>;
  /** ms since the epoch. */
  readonly now?: () => number;
  readonly pauseMs?: number;
}

/** Is told what the pods of a namespace used, by name. */
type AnswerListener = (namespace: string, pods: NamespaceUsage['pods']) => void;

interface Asked {
  wantedUntil: number;
  answer: NamespaceUsage | undefined;
}

/** Reads what pods use from `metrics.k8s.io`, namespace by namespace, while somebody asks for it; the answers are kept no longer. */
export class UsagePoller implements UsageSource {
  readonly #options: Required<UsagePollerOptions>;
  readonly #asked = new Map<string, Asked>();
  readonly #queue = new WorkQueue({ concurrency: AT_ONCE });
  readonly #end = new AbortController();
  readonly #listeners = new Set<AnswerListener>();

  constructor(options: UsagePollerOptions) {
    this.#options = { now: Date.now, pauseMs: PAUSE_MS, ...options };
    this.#queue.run((namespace) => this.#ask(namespace));
  }

  ofNamespace(namespace: string): NamespaceUsage | undefined {
    const wantedUntil = this.#options.now() + LEASE_MS;
    const known = this.#asked.get(namespace);
    if (known) {
      known.wantedUntil = wantedUntil;
      return known.answer;
    }
    if (this.#end.signal.aborted) return undefined;
    this.#asked.set(namespace, { wantedUntil, answer: undefined });
    this.#queue.add(namespace);
    return undefined;
  }

  /** What a pod used lately; undefined where that is not known, as it is when it is first asked for. */
  usage(namespace: string, pod: string): PodUsage | undefined {
    const usage = this.ofNamespace(namespace)?.pods.get(pod);
    return usage && this.#options.now() - usage.at <= STALE_MS ? usage : undefined;
  }

  /** Calls back whenever a question was answered. */
  onAnswer(listener: AnswerListener): void {
    this.#listeners.add(listener);
  }

  /** Asks no more, and ends what is under way. */
  stop(): void {
    this.#end.abort();
    void this.#queue.stop();
    this.#asked.clear();
  }

  async #ask(namespace: string): Promise<void> {
    const asked = this.#asked.get(namespace);
    if (!asked) return;
    if (this.#options.now() > asked.wantedUntil) {
      this.#asked.delete(namespace);
      return;
    }
    const answer = await this.#read(namespace);
    asked.answer = 'reason' in answer ? { pods: asked.answer?.pods ?? new Map(), problem: answer } : answer;
    if (!('reason' in answer)) for (const listener of this.#listeners) listener(namespace, answer.pods);
    this.#queue.addAfter(namespace, this.#options.pauseMs);
  }

  async #read(namespace: string): Promise<NamespaceUsage | UsageProblem> {
    const signal = AbortSignal.any([this.#end.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const { items } = await this.#options.api.list<KubeObject & PodMetrics>(POD_METRICS, { namespace, signal });
      const pods = new Map<string, PodUsage>();
      for (const item of items) {
        const usage = readPodMetrics(item);
        if (usage && typeof item.metadata?.name === 'string') pods.set(item.metadata.name, usage);
      }
      return { pods, problem: undefined };
    } catch (error) {
      return problemOf(error);
    }
  }
}

function problemOf(error: unknown): UsageProblem {
  if (isNotFound(error) || isKubeError(error, 503)) {
    const message = 'the cluster does not serve metrics.k8s.io; install metrics-server, or see to its APIService';
    return { reason: 'NoMetricsApi', message };
  }
  if (isKubeError(error, 403)) {
    const message = "the operator may not list pods of metrics.k8s.io; apply Heddle's ClusterRole heddle-operator anew";
    return { reason: 'MetricsApiForbidden', message };
  }
  const said = error instanceof Error ? error.message : String(error);
  return { reason: 'MetricsApiFailed', message: `metrics.k8s.io gives no answer: ${said.slice(0, 300)}` };
}
