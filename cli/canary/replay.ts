import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { type AnalysisRound, analysisRound } from '../../api/canary-round.ts';
import { replay } from '../../operator/canary/judge/replay.ts';
import { CliError } from '../cli-error.ts';
import { paint } from '../terminal/colour.ts';
import { formatTable } from '../terminal/table.ts';

/** `heddle canary replay FILE`. */
export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Judges a recorded analysis once more, without a cluster: the same counts must give the same verdicts.',
    )
    .argument('<files...>', 'Canaries with their status, as YAML or JSON; - reads standard input')
    .addHelpText(
      'after',
      `
Exit code 1 when a verdict is another than the recorded one.

  kubectl get canary orders -o yaml | heddle canary replay -`,
    )
    .action(async (files: readonly string[]) => {
      const rounds: AnalysisRound[] = [];
      for (const file of files)
        rounds.push(...readRounds(file === '-' ? await text(process.stdin) : await read(file), file));
      if (rounds.length === 0) {
        throw new CliError('no analysis is recorded in it', 'a Canary has status.rounds from its first check on', 2);
      }
      const { table, same } = formatReplay(rounds);
      console.log(table);
      if (!same)
        throw new CliError(
          'a verdict is another than the recorded one',
          'the two are from different versions of Heddle',
        );
    });
}

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

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} can't be read: ${(error as Error).message}`, undefined, 2);
  }
}
