import type { CanaryAnalysis } from '../../api/canary-analysis.ts';
import { durationMs } from '../../api/duration.ts';
import { podsForWeight, weightForPods } from './weights.ts';

/** One step of an analysis: what the new revision gets, and what it takes to get on. */
export interface Step {
  /** Percent of the requests; of a target without requests, of its pods. */
  readonly weight: number;
  /** Whether it gets the requests that `analysis.match` matches. */
  readonly matched: boolean;
  /** Percent of the requests that it gets copies of. */
  readonly mirror: number;
  /** Percent of the target's replicas that must stand beside the old ones first. */
  readonly pods: number;
  /** Time from one check to the next. */
  readonly intervalMs: number;
  /** Checks that must pass. */
  readonly checks: number;
}

/** What pods can be had. */
export interface Room {
  /** Most percent of the target's replicas that can stand beside the old ones, 1 to 100; weights above it are cut. */
  readonly reachable: number;
  /** Pods the target wants in all. */
  readonly replicas: number;
}

/**
 * The steps of an analysis, at least one. Copies come before live requests; then by weight, rising and none twice, or `iterations` checks of one step: of the
 * requests that are matched, or, as blue/green, of none at all.
 */
export function planOf(analysis: CanaryAnalysis, room: Room): readonly Step[] {
  const { iterations, match, mirror, mirrorWeight = 100 } = analysis;
  const intervalMs = durationMs(analysis.interval);
  const quiet = { weight: 0, matched: false, mirror: 0, intervalMs, checks: 1 };
  const pods = (percent: number): number => podsPercent(analysis, percent, room);
  const copies: Step = { ...quiet, mirror: mirrorWeight, pods: pods(mirrorWeight) };
  if (iterations !== undefined && match === undefined) {
    return [{ ...quiet, mirror: mirror ? mirrorWeight : 0, pods: pods(100), checks: iterations }];
  }
  const first = mirror ? [copies] : [];
  if (iterations !== undefined) return [...first, { ...quiet, matched: true, pods: pods(100), checks: iterations }];
  return [...first, ...weightedSteps(analysis, room, intervalMs)];
}

/** Whether every request is served by the old revision until the promotion, and by the new one from then on. */
export function isBlueGreen({ iterations, match }: CanaryAnalysis): boolean {
  return iterations !== undefined && match === undefined;
}

/** Whether a step has the mesh do anything: without that there is nothing for sidecars to acknowledge. */
export function isRouted({ weight, matched, mirror }: Step, { traffic }: CanaryAnalysis): boolean {
  return traffic === 'Requests' && (weight > 0 || matched || mirror > 0);
}

/** Weights above what pods can be had for are cut, and steps that come to the same weight are one, which lasts as long as the longest of them. */
function weightedSteps(analysis: CanaryAnalysis, room: Room, intervalMs: number): Step[] {
  const wanted = analysis.stepWeights ?? evenSteps(analysis.stepWeight ?? 10, analysis.maxWeight ?? 100);
  // With pods of its own choice the user says what these carry.
  const most = analysis.surge === undefined ? Math.min(100, room.reachable) : 100;
  const durations = new Map<number, number>();
  for (const [index, wish] of wanted.entries()) {
    const weight = Math.max(1, Math.min(wish, most));
    const text = analysis.stepDurations?.[index];
    const duration = text === undefined ? intervalMs : durationMs(text);
    durations.set(weight, Math.max(duration, durations.get(weight) ?? 0));
  }
  const rising = [...durations].sort(([a], [b]) => a - b);
  return rising.map(([weight, duration]) => {
    const checks = Math.max(1, Math.round(duration / intervalMs));
    const pods = podsPercent(analysis, weight, room);
    return { weight, matched: false, mirror: 0, pods, checks, intervalMs: Math.round(duration / checks) };
  });
}

function podsPercent({ surge }: CanaryAnalysis, needed: number, { reachable, replicas }: Room): number {
  const percent = surge === undefined ? needed : surgePercent(surge, replicas);
  return Math.max(1, Math.min(percent, reachable, 100));
}

/** In percent, so that it follows the number of replicas by itself. */
function surgePercent(surge: number | string, replicas: number): number {
  if (typeof surge === 'string') return Number.parseInt(surge, 10);
  return replicas <= 0 ? 100 : weightForPods(surge, replicas);
}

/** The weight that a step may have with the pods that are there: all of it with all that it needs, less with less. */
export function carriedWeight({ weight, pods }: Step, eligible: number, replicas: number): number {
  const needed = podsForWeight(pods, replicas);
  if (eligible >= needed) return weight;
  // Of pods for more than the weight (`surge`), some suffice for all of it.
  return Math.min(weight, Math.max(weightForPods(eligible, replicas), Math.floor((weight * eligible) / needed)));
}

function evenSteps(step: number, max: number): number[] {
  const weights: number[] = [];
  for (let weight = step; weight < max; weight += step) weights.push(weight);
  return [...weights, max];
}
