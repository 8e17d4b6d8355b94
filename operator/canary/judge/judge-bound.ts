import type { ClaimEvidence, MetricVerdict, RecordedMetric } from '../../../api/canary-round.ts';
import { isDoubtful } from './doubt.ts';
import { logEvidence, NOTHING, type Samples } from './evidence.ts';
import { logSumExp } from './log-sum.ts';
import type { Bound, MetricKind, Side } from './metric-kind.ts';

/** A side of the call that saw enough to tell anything. */
export interface TellingSide extends Side {
  readonly name: 'callers' | 'served';
  /** `stable` is of windows before: it has been counted as evidence already. */
  readonly earlier: boolean;
}

/** What the evidence is held against. */
export interface Standard {
  /** Chance, 0 to 1, that a good revision fails over a whole release. */
  readonly alpha: number;
  /** Bounds among which it is shared. */
  readonly bounds: number;
  /** Which window of the release it is, from 1. */
  readonly window: number;
}

/** What one bound of a metric came to. */
export interface BoundResult {
  readonly verdict: MetricVerdict;
  /** It is neither: no better than what chance may make of two revisions that are equally good, and no worse. */
  readonly isChance?: true;
  readonly message?: string;
  readonly value: number;
  readonly stableValue?: number;
  readonly samples: number;
  readonly stableSamples?: number;
  readonly bound?: number;
  /** Natural logarithm of the greater of both bets, and of what it must reach. */
  readonly log?: number;
  readonly needed?: number;
  /** Evidence after this window; none: it stays what it was before. */
  readonly after: readonly ClaimEvidence[];
}

const HALVINGS = 12;
/** Of odds beyond this nobody has use, and doubles have none. */
const MOST_LOG = 600;

/**
 * Judges one bound. Two bets run against a revision: one over the whole release, which gathers what is small and steady, and one of this window alone, which
 * sees what has just begun. Each gets half of the chance of a false alarm; of the second's half window k gets the part 1 / (k (k + 1)), and all
 * windows together no more than all of it. The callers' and the servers' counts are of the same requests, so the mean of both bets is taken, which
 * is a bet again however they hang together.
 * @param sides at least one
 */
export function judgeBound(
  kind: MetricKind,
  metric: RecordedMetric,
  bound: Bound,
  sides: readonly TellingSide[],
  before: readonly ClaimEvidence[],
  standard: Standard,
): BoundResult {
  const worst = worstOf(kind, metric, bound, sides);
  const { next, stable = 0 } = valuesOf(kind, metric, worst);
  const excess = bound.excess(next, stable);
  const facts = {
    value: next,
    ...(bound.relative ? { stableValue: stable } : {}),
    samples: worst.next.requests,
    ...(bound.relative && worst.stable ? { stableSamples: worst.stable.requests } : {}),
  };
  const words = `${metric.name} ${bound.words(next, stable)}`;
  const tested = bound.test?.(worst, bound.limit);
  if (bound.test === undefined || tested === undefined) {
    return excess > 0
      ? { ...facts, verdict: 'Failed', message: words, after: [] }
      : { ...facts, verdict: 'Passed', after: [] };
  }
  const bets = betsOf(kind, metric, bound, sides, before);
  const releaseNeeded = Math.log((2 * standard.bounds) / standard.alpha);
  const windowNeeded = releaseNeeded + Math.log(standard.window * (standard.window + 1));
  const best = favourable(bound, sides, before, kind, metric, windowNeeded, bound.kept(next, stable));
  const ofRelease = bets.release - releaseNeeded >= bets.window - windowNeeded;
  const rest = {
    ...facts,
    ...(best === undefined ? {} : { bound: best }),
    log: ofRelease ? bets.release : bets.window,
    needed: ofRelease ? releaseNeeded : windowNeeded,
    after: bets.after,
  };
  if (rest.log >= rest.needed) {
    const message = excess > 0 ? words : `${metric.name} breaks ${bound.name} ${bound.limit} over the whole release`;
    const isSudden = bets.window >= windowNeeded;
    return { ...rest, verdict: 'Failed', message, after: isSudden ? [] : spent(bets.after, releaseNeeded) };
  }
  // A limit must be seen to be kept; of two revisions that are equally good one always looks the worse.
  if (excess > 0 && (!bound.relative || isDoubtful(tested.claim, tested.samples))) {
    const message = `${words}, but ${facts.samples} requests are not evidence enough for a verdict`;
    return { ...rest, verdict: 'InsufficientEvidence', message, ...(bound.relative ? { isChance: true } : {}) };
  }
  return { ...rest, verdict: 'Passed' };
}

/**
 * What a failed check leaves as evidence. A window that has proved it alone is no evidence besides, lest one blip use up all failed checks. Of what is small
 * and steady no more is left than just makes the next check fail if that speaks against the revision, too: it need not be proved anew each time. A good
 * revision is no more often given up for that, since by then a first check has failed, which is what it rarely has.
 */
function spent(after: readonly ClaimEvidence[], needed: number): ClaimEvidence[] {
  return after.map((one) => ({ ...one, log: Math.min(one.log, needed) }));
}

function valuesOf(kind: MetricKind, metric: RecordedMetric, side: Side): { next: number; stable: number | undefined } {
  const { next = 0, stable } = kind.values(metric, side);
  return { next, stable };
}

/** The side that is farther out of bounds. */
function worstOf(kind: MetricKind, metric: RecordedMetric, bound: Bound, sides: readonly TellingSide[]): TellingSide {
  const [first, ...others] = sides;
  if (first === undefined) throw new RangeError('a bound is judged by one side of the call at least');
  const excess = (side: TellingSide): number => {
    const { next, stable = 0 } = valuesOf(kind, metric, side);
    return bound.excess(next, stable);
  };
  return others.reduce((worst, side) => (excess(side) > excess(worst) ? side : worst), first);
}

function idOf(metric: RecordedMetric, bound: Bound, side: TellingSide): string {
  return `${metric.name}/${bound.name}/${side.name}`;
}

function samplesBefore(before: readonly ClaimEvidence[], id: string): { samples: Samples; log: number } {
  const known = before.find(({ claim }) => claim === id);
  if (known === undefined) return { samples: { next: NOTHING, stable: NOTHING }, log: 0 };
  const { nextBad, nextTotal, stableBad, stableTotal, log } = known;
  const samples = { next: { bad: nextBad, total: nextTotal }, stable: { bad: stableBad, total: stableTotal } };
  return { samples, log };
}

/** Logarithms of both bets, the mean of both sides each, and what is known after. */
function betsOf(
  kind: MetricKind,
  metric: RecordedMetric,
  bound: Bound,
  sides: readonly TellingSide[],
  before: readonly ClaimEvidence[],
): { release: number; window: number; after: ClaimEvidence[] } {
  const after: ClaimEvidence[] = [];
  const release: number[] = [];
  for (const side of sides) {
    const claim = idOf(metric, bound, side);
    const tested = bound.test?.(side, bound.limit);
    if (tested === undefined) continue;
    const { samples: known, log: earned } = samplesBefore(before, claim);
    const { next, stable } = tested.samples;
    // What was counted before can't be evidence once more.
    const gained = side.earlier ? 0 : logEvidence(tested.claim, known, tested.samples);
    const log = Math.max(-MOST_LOG, Math.min(MOST_LOG, earned + gained));
    release.push(log);
    after.push({
      claim,
      nextBad: known.next.bad + next.bad,
      nextTotal: known.next.total + next.total,
      stableBad: known.stable.bad + (side.earlier ? 0 : stable.bad),
      stableTotal: known.stable.total + (side.earlier ? 0 : stable.total),
      log,
    });
  }
  return { release: meanOf(release, kind), window: windowBet(kind, metric, bound, sides, before, bound.limit), after };
}

/** The bet of this window alone, at any limit. */
function windowBet(
  kind: MetricKind,
  metric: RecordedMetric,
  bound: Bound,
  sides: readonly TellingSide[],
  before: readonly ClaimEvidence[],
  limit: number,
): number {
  const logs = sides.flatMap((side) => {
    const tested = bound.test?.(side, limit);
    if (tested === undefined) return [];
    const { stable } = samplesBefore(before, idOf(metric, bound, side)).samples;
    return [logEvidence(tested.claim, { next: NOTHING, stable: side.earlier ? NOTHING : stable }, tested.samples)];
  });
  return meanOf(logs, kind);
}

/** A side that saw too little has won and lost nothing. */
function meanOf(logs: readonly number[], { sides }: MetricKind): number {
  const all = [...logs, ...Array<number>(Math.max(0, sides.length - logs.length)).fill(0)];
  return logSumExp(all) - Math.log(all.length);
}

/** How good the value may be at best: the loosest limit that this window's bet has refuted. */
function favourable(
  bound: Bound,
  sides: readonly TellingSide[],
  before: readonly ClaimEvidence[],
  kind: MetricKind,
  metric: RecordedMetric,
  needed: number,
  kept: number,
): number | undefined {
  // What is no worse at all has no distance to be sure of.
  if (bound.relative && kept <= 0) return 0;
  let refuted = bound.strictest;
  let tenable = kept;
  if (windowBet(kind, metric, bound, sides, before, refuted) < needed) return refuted;
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (refuted + tenable) / 2;
    if (windowBet(kind, metric, bound, sides, before, middle) >= needed) refuted = middle;
    else tenable = middle;
  }
  return Math.round(refuted * 1000) / 1000;
}
