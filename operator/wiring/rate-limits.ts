import { durationMs } from '../../api/duration.ts';
import type { MeshConfig } from '../../api/mesh-config.ts';
import { SECRET } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { Logger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { UnaryCall } from '../ads/unary-call.ts';
import { rateLimitDomain } from '../mesh/rate-limit-descriptor.ts';
import type { RateLimitRules } from '../mesh/rate-limits.ts';
import type { MeshSnapshot } from '../mesh/snapshot.ts';
import type { Counters } from '../ratelimit/counters.ts';
import { ALWAYS_THERE, type CountsState } from '../ratelimit/counts-watch.ts';
import { MemoryCounters } from '../ratelimit/memory-counters.ts';
import { RATE_LIMIT_PATH, RateLimitService } from '../ratelimit/rate-limit-service.ts';
import { RedisCounters } from '../ratelimit/redis-counters.ts';
import { COUNT_PATH, SharedCounters } from '../ratelimit/shared-counters.ts';
import type { Replicas } from './replicas.ts';

const SWEEP_MS = 1000;

export interface RateLimitOptions {
  readonly config: Pick<MeshConfig, 'redis'>;
  readonly api: Pick<KubeApi, 'get'>;
  /** Of the operator. */
  readonly namespace: string;
  readonly snapshot: () => Pick<MeshSnapshot, 'workloads'>;
  readonly replicas: Pick<Replicas, 'counting' | 'authenticator'>;
  readonly logger: Logger;
}

/** The rate-limit server of this replica. */
export interface RateLimitServer {
  /** What the xDS port serves for it. */
  readonly calls: readonly UnaryCall[];
  /** Whether counts can be asked. */
  readonly counts: CountsState;
  stop(): void;
}

/** Starts the rate-limit server: it counts in Redis where the mesh's settings name one, and else in memory, together with the other replicas. */
export function startRateLimits(options: RateLimitOptions): RateLimitServer {
  const { snapshot } = options;
  const { counters, calls, counts, stop } = openCounters(options);
  const service = new RateLimitService(counters, (uid, domain) => findRules(snapshot(), uid, domain));
  const asked: UnaryCall = { path: RATE_LIMIT_PATH, answer: ({ uid }, question) => service.answer(uid, question) };
  return { calls: [asked, ...calls], counts, stop };
}

/** Finds the policy of a domain among those that are about a pod. */
export function findRules(
  { workloads }: Pick<MeshSnapshot, 'workloads'>,
  uid: string,
  domain: string,
): RateLimitRules | undefined {
  return workloads.get(uid)?.rateLimits.find(({ rules }) => rateLimitDomain(rules.ref) === domain)?.rules;
}

function openCounters(options: RateLimitOptions): RateLimitServer & { readonly counters: Counters } {
  const { config, api, namespace, replicas, logger } = options;
  const { redis } = config;
  if (redis !== undefined) {
    const { url, passwordSecret, timeout } = redis;
    const credentials = () => readCredentials(api, namespace, passwordSecret);
    const counters = new RedisCounters({ url, credentials, timeoutMs: durationMs(timeout) }, logger);
    counters.start();
    return { counters, calls: [], counts: counters.state, stop: () => counters.stop() };
  }
  const own = new MemoryCounters();
  const counters = new SharedCounters(own, replicas.counting);
  const timer = setInterval(() => own.sweep(), SWEEP_MS);
  timer.unref();
  const { authenticator } = replicas;
  const counted: UnaryCall = { path: COUNT_PATH, authenticator, answer: (_, question) => counters.answer(question) };
  return { counters, calls: [counted], counts: ALWAYS_THERE, stop: () => clearInterval(timer) };
}

/** Those in a Secret of the operator's namespace; none where no Secret is named. @throws {Error} when it is not there */
export async function readCredentials(api: Pick<KubeApi, 'get'>, namespace: string, name: string | undefined) {
  if (name === undefined) return {};
  const { data = {} } = await api.get<KubeObject & { data?: Record<string, string> }>(SECRET, { namespace, name });
  const text = (key: string): string =>
    Buffer.from(data[key] ?? '', 'base64')
      .toString()
      .trim();
  const [username, password] = [text('username'), text('password')];
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}
