import type { Claim, Counts, Samples } from './evidence.ts';

/** Of windows of a revision that just keeps its bound, one in ten looks as bad by chance: 90 % of a normal variable lie below. */
const DOUBTFUL = 1.2816;

/**
 * Whether counts look worse than chance alone would make one window in ten look. That is too little to condemn a revision, and enough not to let it pass.
 * Shares are each taken with one bad and one good event more, without which small samples look surer than they are (Agresti and Caffo, "Simple and effective
 * confidence intervals for proportions and differences of proportions result from adding two successes and two failures", 2000).
 */
export function isDoubtful(claim: Claim, { next, stable }: Samples): boolean {
  const [share, spread] = estimate(next);
  if (claim.kind === 'limit') return share - claim.most > DOUBTFUL * Math.sqrt(spread);
  const [other, otherSpread] = estimate(stable);
  return share - other - claim.margin > DOUBTFUL * Math.sqrt(spread + otherSpread);
}

/** A share and its variance. */
function estimate({ bad, total }: Counts): [number, number] {
  const share = (bad + 1) / (total + 2);
  return [share, (share * (1 - share)) / (total + 2)];
}
