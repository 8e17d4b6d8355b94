import { logSumExp } from './log-sum.ts';

/** How many of so many events were bad: requests that failed, or took longer than they may. */
export interface Counts {
  readonly bad: number;
  readonly total: number;
}

/** What the new revision and, where there is something to compare with, the stable one counted. */
export interface Samples {
  readonly next: Counts;
  readonly stable: Counts;
}

/**
 * What a good revision keeps. `limit`: the chance p of a bad event is at most `most`. `difference`: it is at most that of the stable revision and
 * `margin` more. Both are shares, 0 to 1.
 */
export type Claim =
  | { readonly kind: 'limit'; readonly most: number }
  | { readonly kind: 'difference'; readonly margin: number };

export const NOTHING: Counts = { bad: 0, total: 0 };

/** More than this says no more, and JSON has no infinity. */
const MOST = 600;
const TINY = 1e-9;
/** As many halvings find a chance more precisely than counts can tell apart. */
const MOST_STEPS = 32;
/** By how much worse a bad revision may be, as factors of the odds; from 1.3 times to all of the requests. */
const LIFTS = [1.3, 1.7, 2.5, 5, 15, 100, 10_000];
/** How bad a stable revision may be: every power of two from 1 in 10,000. */
const BASES = Array.from({ length: 13 }, (_, power) => chanceOf(0.0001 * 2 ** power));
const EVEN = chanceOf(0.5);

/** A way in which the claim may be wrong: chances of a bad event, and their logarithms. */
interface Alternative {
  readonly next: Chance;
  readonly stable: Chance;
}

interface Chance {
  readonly bad: number;
  readonly logBad: number;
  readonly logGood: number;
}

/**
 * The natural logarithm of the evidence against a claim that some counts hold: a bet against it that pays e^result, and on average pays no more than its
 * stake while the claim is true.
 *
 * The maths. For an alternative (a, b) to the claim (the new revision's and the stable one's chance of a bad event) let (a°, b°) be that point of the
 * claim which is nearest to it in Kullback-Leibler divergence, each side weighted by its number of events. The bet is the likelihood ratio
 *   E = Π over sides g (θ_g / θ°_g)^bad_g ((1 − θ_g) / (1 − θ°_g))^(total_g − bad_g).
 * Its mean under any (p, q) is Π A_g(p_g)^total_g, where A_g(p) = p θ_g / θ°_g + (1 − p)(1 − θ_g) / (1 − θ°_g) is linear in p and 1 at θ°_g. So the
 * logarithm of the mean is concave, 0 at θ°, and its gradient there is minus that of the divergence; the claim is a convex set (a half plane), and
 * θ° minimizes over it, so the gradient leads out of it and the mean is at most 1 all over the claim. (Turner and Grünwald, "Exact anytime-valid
 * confidence intervals for contingency tables and beyond", 2023; Turner, Ly and Grünwald, "Generic E-variables for exact sequential k-sample tests that
 * allow for optional stopping", 2022.) A mean of such bets with weights that are settled before is one again; here the weights are those that Bayes' rule
 * gives after what was counted `before`. Bets that follow each other multiply, and by Ville's inequality a product of them ever reaches 1/α
 * with a chance of at most α, however often one looks.
 *
 * @param before what was counted earlier in the release: it settles the weights, and is no evidence here
 * @param block what was counted now
 * @returns between -600 and 600; 0 without events
 */
export function logEvidence(claim: Claim, before: Samples, block: Samples): number {
  if (claim.kind === 'limit' && claim.most <= TINY) return block.next.bad > 0 ? MOST : 0;
  const alternatives = alternativesTo(claim);
  if (alternatives.length === 0) return 0;
  const weights = alternatives.map((one) => logLikelihood(before, one));
  const bets = alternatives.map((one, index) => (weights[index] ?? 0) + logBet(claim, one, block));
  return Math.max(-MOST, Math.min(MOST, logSumExp(bets) - logSumExp(weights)));
}

function alternativesTo(claim: Claim): readonly Alternative[] {
  if (claim.kind === 'limit') return lifted(claim.most).map((next) => ({ next, stable: EVEN }));
  return BASES.flatMap((stable) => lifted(stable.bad + claim.margin).map((next) => ({ next, stable })));
}

/** Chances above one. */
function lifted(chance: number): Chance[] {
  if (chance >= 1 - TINY) return [];
  const odds = chance / (1 - chance);
  return LIFTS.map((lift) => chanceOf((lift * odds) / (1 + lift * odds)));
}

function logBet(claim: Claim, alternative: Alternative, block: Samples): number {
  const { next, stable } = block;
  const nearest =
    claim.kind === 'limit'
      ? { next: chanceOf(claim.most), stable: alternative.stable }
      : nearestOf(claim.margin, alternative, next.total, stable.total);
  return logLikelihood(block, alternative) - logLikelihood(block, nearest);
}

/** The point on the claim's edge, `next = stable + margin`, that is nearest to an alternative: where the derivative of the divergence is 0. */
function nearestOf(margin: number, { next, stable }: Alternative, nexts: number, stables: number): Alternative {
  if (margin === 0) {
    const pooled = chanceOf((nexts * next.bad + stables * stable.bad) / Math.max(1, nexts + stables));
    return { next: pooled, stable: pooled };
  }
  let low = stable.bad;
  let high = next.bad - margin;
  let at = low + ((high - low) * nexts) / Math.max(1, nexts + stables);
  // Newton's steps, which are a handful; where one leads out of what is left, half of that is taken.
  for (let i = 0; i < MOST_STEPS; i++) {
    const ofNext = slopeOf(next.bad, at + margin);
    const ofStable = slopeOf(stable.bad, at);
    const slope = nexts * ofNext.slope + stables * ofStable.slope;
    if (slope > 0) high = at;
    else low = at;
    const wanted = at - slope / (nexts * ofNext.curvature + stables * ofStable.curvature);
    const step = (wanted >= low && wanted <= high ? wanted : (low + high) / 2) - at;
    at += step;
    if (Math.abs(step) < TINY * at * (1 - at - margin)) break;
  }
  return { next: chanceOf(at + margin), stable: chanceOf(at) };
}

/** First and second derivative by `at` of the divergence of a Bernoulli variable of chance `from` from one of chance `at`. */
function slopeOf(from: number, at: number): { slope: number; curvature: number } {
  const bad = from / at;
  const good = (1 - from) / (1 - at);
  return { slope: good - bad, curvature: bad / at + good / (1 - at) };
}

function logLikelihood({ next, stable }: Samples, chances: Alternative): number {
  return logBernoulli(next, chances.next) + logBernoulli(stable, chances.stable);
}

function logBernoulli({ bad, total }: Counts, { logBad, logGood }: Chance): number {
  return bad * logBad + (total - bad) * logGood;
}

function chanceOf(chance: number): Chance {
  const bad = Math.min(1 - TINY, Math.max(TINY, chance));
  return { bad, logBad: Math.log(bad), logGood: Math.log1p(-bad) };
}
