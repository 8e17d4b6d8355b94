import type { AnalysisRound, RoundVerdict } from '../../../api/canary-round.ts';
import { type Judgement, judgeRound } from './judge-round.ts';

/** A recorded round beside what the judge says of it now. */
export interface Replayed {
  readonly recorded: RoundVerdict;
  readonly judgement: Judgement;
  /** Both agree, in each metric too. */
  readonly same: boolean;
}

/** Judges recorded rounds (`status.rounds` of a Canary) once more. Each holds all it was judged by, so they may be given in any order. */
export function replay(rounds: readonly AnalysisRound[]): Replayed[] {
  return rounds.map(({ inputs, verdict, metrics = [] }) => {
    const judgement = judgeRound(inputs);
    const before = metrics.map((one) => `${one.name} ${one.verdict}`);
    const now = judgement.metrics.map((one) => `${one.name} ${one.verdict}`);
    const same = judgement.verdict === verdict && before.join('\n') === now.join('\n');
    return { recorded: verdict, judgement, same };
  });
}
