import type { RevisionUsage, UsageAnswer } from '../../api/canary-usage.ts';
import { fullness } from '../usage/fullness.ts';
import { type PodUsage, STALE_MS, type UsageSource } from '../usage/pod-usage.ts';
import { type Pod, revisionOfPod } from './objects.ts';
import { isEligible, type NodeReadiness, servingSince } from './pods.ts';

/** Samples of a pod that a check needs: one alone may be of the moment in which it cleaned up. */
const NEEDED = 2;
/** A pod that has served for so long must have them; an autoscaler that adds pods must not keep a window open for ever. */
const PATIENCE_MS = 60_000;
/** Pods that are named. */
const NAMED = 3;

const RESOURCES = { 'cpu-usage': 'cpu', 'memory-usage': 'memory' } as const;
type Resource = 'cpu' | 'memory';

interface Sum {
  value: number;
  share: number;
  /** Why there is no share. */
  unlimited: string | undefined;
}

/** What one pod used in the window: sums, so that a window that stays open takes no more memory. */
interface Tally {
  samples: number;
  lastAt: number;
  readonly cpu: Sum;
  readonly memory: Sum;
}

interface Window {
  readonly since: number;
  /** By the pods' UIDs. */
  tallies: Map<string, Tally>;
}

/** One window of a Canary, and the pods of its target. */
export interface UsageQuery {
  /** Of the Canary. */
  readonly uid: string;
  readonly namespace: string;
  readonly metric: string;
  readonly revision: string;
  readonly stableRevision: string;
  /** When the window began, in ms. */
  readonly since: number;
  readonly now: number;
  readonly pods: readonly Pod[];
  readonly isNodeAlive: NodeReadiness;
}

/**
 * Adds up what the pods of Canaries use in their open windows. A sample counts once, by its time, and only where all the time it is about lies in the window and after
 * the pod was ready: what a program takes to start is no sign of what it takes to serve. Asked at each look; what it has seen it forgets with the window.
 */
export class UsageWatch {
  readonly #source: UsageSource;
  readonly #windows = new Map<string, Window>();

  constructor(source: UsageSource) {
    this.#source = source;
  }

  /** What the window shows until now; undefined while nothing was answered. */
  answer(query: UsageQuery): UsageAnswer | undefined {
    const { metric, namespace, revision, stableRevision } = query;
    if (metric !== 'cpu-usage' && metric !== 'memory-usage') return undefined;
    const known = this.#source.ofNamespace(namespace);
    if (!known) return undefined;
    const { tallies } = this.#take(query, known.pods);
    const resource = RESOURCES[metric];
    const next = addUp(query, revision, resource, tallies);
    const stable = addUp(query, stableRevision, resource, tallies);
    const problem = known.problem ?? staleness(query, [...next.late, ...stable.late]);
    return {
      metric,
      next: next.usage,
      stable: stable.usage,
      ...(problem ? { reason: problem.reason, error: problem.message } : {}),
    };
  }

  /** Forgets a Canary's window. */
  forget(uid: string): void {
    this.#windows.delete(uid);
  }

  #take({ uid, since, pods, isNodeAlive }: UsageQuery, samples: ReadonlyMap<string, PodUsage>): Window {
    const known = this.#windows.get(uid);
    const window = known?.since === since ? known : { since, tallies: new Map<string, Tally>() };
    this.#windows.set(uid, window);
    const before = window.tallies;
    // What is not among the pods any more is forgotten.
    window.tallies = new Map();
    for (const pod of pods) {
      const podUid = pod.metadata?.uid ?? '';
      const tally = before.get(podUid) ?? newTally();
      const sample = samples.get(pod.metadata?.name ?? '');
      const serving = servingSince(pod, isNodeAlive);
      if (sample && serving !== undefined && sample.at > tally.lastAt) {
        if (sample.at - sample.windowMs >= Math.max(since, serving)) count(tally, pod, sample);
      }
      window.tallies.set(podUid, tally);
    }
    return window;
  }
}

function newTally(): Tally {
  const nothing = (): Sum => ({ value: 0, share: 0, unlimited: undefined });
  return { samples: 0, lastAt: 0, cpu: nothing(), memory: nothing() };
}

function count(tally: Tally, pod: Pod, sample: PodUsage): void {
  const full = { cpu: fullness(pod, sample, 'cpu'), memory: fullness(pod, sample, 'memory') };
  // It lacks a container: half of what a pod uses would pass for all of it.
  if (Object.values(full).some(({ share, unlimited }) => share === undefined && unlimited === undefined)) return;
  tally.samples += 1;
  tally.lastAt = sample.at;
  for (const resource of ['cpu', 'memory'] as const) {
    const { share = Number.NaN, unlimited } = full[resource];
    const sum = tally[resource];
    sum.value += resource === 'cpu' ? sample.cpuCores : sample.memoryBytes;
    sum.share += share;
    sum.unlimited = unlimited;
  }
}

/** A revision's pods that can be measured, and the newest samples of those whose are old. */
function addUp(
  { pods, since, now, isNodeAlive }: UsageQuery,
  revision: string,
  resource: Resource,
  tallies: ReadonlyMap<string, Tally>,
): { usage: RevisionUsage; late: readonly (readonly [string, number])[] } {
  const missing: string[] = [];
  const late: (readonly [string, number])[] = [];
  let needed = 0;
  let [measured, mean, share] = [0, 0, 0];
  let unlimited: string | undefined;
  for (const pod of pods) {
    if (revisionOfPod(pod) !== revision || !isEligible(pod, isNodeAlive)) continue;
    const { uid = '', name = '' } = pod.metadata ?? {};
    const tally = tallies.get(uid);
    const isFresh = tally !== undefined && now - tally.lastAt <= STALE_MS;
    if (tally && isFresh && tally.samples >= NEEDED) {
      needed += 1;
      measured += 1;
      mean += tally[resource].value / tally.samples;
      share += tally[resource].share / tally.samples;
      unlimited ??= tally[resource].unlimited;
      continue;
    }
    if ((servingSince(pod, isNodeAlive) ?? now) > Math.max(since, now - PATIENCE_MS)) continue;
    needed += 1;
    if (missing.length < NAMED) missing.push(name);
    if (tally && tally.samples > 0 && !isFresh) late.push([name, tally.lastAt]);
  }
  const known = measured === 0 ? {} : { mean: mean / measured };
  const shared = measured === 0 || Number.isNaN(share) ? {} : { share: (share * 100) / measured };
  const usage: RevisionUsage = {
    pods: needed,
    measured,
    ...(missing.length > 0 ? { missing } : {}),
    ...known,
    ...shared,
    ...(unlimited === undefined ? {} : { unlimited }),
  };
  return { usage, late };
}

function staleness({ now }: UsageQuery, late: readonly (readonly [string, number])[]) {
  const [first] = late;
  if (!first) return undefined;
  const [name, at] = first;
  const age = Math.round((now - at) / 1000);
  return { reason: 'StaleUsage', message: `the newest sample of pod ${name} is ${age} s old; see to metrics-server` };
}
