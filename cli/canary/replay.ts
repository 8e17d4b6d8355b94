import { parseAllDocuments } from 'yaml';
import { type AnalysisRound, analysisRound } from '../../api/canary-round.ts';
import { replay } from '../../operator/canary/judge/replay.ts';
import { CliError } from '../cli-error.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';

/**
 * The recorded rounds of all Canaries in a text, oldest first.
 * @throws {CliError} with code 2 when it is no YAML, or a round is not as it is recorded
 */
export function readRounds(content: string, file: string): AnalysisRound[] {
  const rounds: AnalysisRound[] = [];
  for (const document of parseAllDocuments(content)) {
    const [problem] = document.errors;
    if (problem) throw new CliError(`${file} is no YAML: ${problem.message}`, undefined, 2);
    const object = document.toJS() as { items?: unknown[] } | null;
    for (const item of object?.items ?? [object]) rounds.push(...roundsOf(item, file));
  }
  return rounds.sort((a, b) => a.time.localeCompare(b.time));
}

function roundsOf(object: unknown, file: string): AnalysisRound[] {
  const { kind, status } = (object ?? {}) as { kind?: string; status?: { rounds?: unknown } };
  if (kind !== 'Canary' || status?.rounds === undefined) return [];
  const result = analysisRound.array().safeParse(status.rounds);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new CliError(`${file}: status.rounds.${issue?.path.join('.')}: ${issue?.message}`, undefined, 2);
}

/** A table of the rounds with what was recorded and what the judge says now, and whether the two agree everywhere. */
export function formatReplay(rounds: readonly AnalysisRound[]): { readonly table: string; readonly same: boolean } {
  const results = replay(rounds);
  const rows = results.map(({ recorded, judgement, same }, index) => {
    const { time, revision, step, inputs } = rounds[index] as AnalysisRound;
    return [
      ...[
        time,
        revision,
        `${step + 1}`,
        `${inputs.weight}%`,
        `${inputs.next.callers.requests}`,
        `${inputs.next.callers.failures}`,
      ],
      ...[recorded, same ? judgement.verdict : paint('red', judgement.verdict), judgement.message ?? ''],
    ];
  });
  const header = ['time', 'revision', 'step', 'weight', 'requests', 'failed', 'recorded', 'replayed', 'message'];
  return { table: formatTable(header, rows), same: results.every(({ same }) => same) };
}
