import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import type { AnalysisRound } from '../../api/canary-round.ts';
import { CliError } from '../cli-error.ts';

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
      const { formatReplay, readRounds } = await import('./replay.ts');
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

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} can't be read: ${(error as Error).message}`, undefined, 2);
  }
}
