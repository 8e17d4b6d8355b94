/** `npm run fuzz`: changes real messages in ways that lead somewhere new in the code that reads them, and looks for what breaks it. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { startProgress } from '../../cli/terminal/progress.ts';
import { formatTable } from '../../cli/terminal/table.ts';
import { CORPUS } from './corpus-folder.ts';
import { runTarget, type TargetReport } from './engine/run-target.ts';
import { TARGET_NAMES } from './registry.ts';
import { newSeed } from './seed.ts';

/** Longest input that is kept beside the tests, in bytes. */
const MAX_KEPT = 65_536;

interface Options {
  readonly runs: number;
  readonly seed: number;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('must be a whole number from 1 on');
  return number;
}

const program = new Command('fuzz')
  .description(
    'Feeds what reads bytes of strangers with changed messages; exits with 1 when one crashes it or takes too long.',
  )
  .argument('[targets...]', `which: ${TARGET_NAMES.join(', ')}; all unless told`)
  .option('--runs <number>', 'inputs of each target', wholeNumber, 100_000)
  .option('--seed <number>', 'begins the same inputs again', wholeNumber, newSeed())
  .addHelpText(
    'after',
    `
"worst" is the most CPU time of one input, with code that counts branches in it; "largest" that of inputs as long as the port takes them, without.
What is found is written to test/fuzz/corpus, where the tests run it from then on.`,
  )
  .action(fuzzAll);

async function fuzzAll(names: readonly string[], { runs, seed }: Options): Promise<void> {
  const unknown = names.filter((name) => !TARGET_NAMES.includes(name));
  if (unknown.length > 0)
    program.error(`no target ${unknown.join(', ')}; there are ${TARGET_NAMES.join(', ')}`, { exitCode: 2 });
  const chosen = names.length === 0 ? TARGET_NAMES : names;
  const progress = startProgress(`Fuzz (--seed ${seed})`);
  const reports: TargetReport[] = [];
  for (const [index, name] of chosen.entries()) {
    const show = (count: number): void =>
      progress.update((index + Math.min(1, count / runs)) / chosen.length, `${name}: ${count} inputs`);
    reports.push(await runTarget(name, runs, seed, show));
  }
  progress.finish(`${chosen.length} targets done`);
  console.log(formatReports(reports));
  for (const report of reports) await tell(report);
}

/** Says what was found, and keeps the input. */
async function tell({ name, problem, input }: TargetReport): Promise<void> {
  if (problem === undefined || input === undefined) return;
  process.exitCode = 1;
  // The largest are made anew each time.
  const folder = join(input.length > MAX_KEPT ? tmpdir() : CORPUS, name);
  const file = join(folder, createHash('sha256').update(input).digest('hex').slice(0, 12));
  await mkdir(folder, { recursive: true });
  await writeFile(file, input);
  console.error(`\n${name}: ${problem}\n  with the input in ${relative(process.cwd(), file)}`);
}

function formatReports(reports: readonly TargetReport[]): string {
  const header = ['target', 'inputs', 'per second', 'branches', 'kept', 'worst', 'largest', 'growth', ''];
  const rows = reports.map((report) => [
    report.name,
    String(report.runs),
    String(Math.round(report.runs / report.seconds)),
    `${report.taken} of ${report.branches}`,
    String(report.kept),
    `${report.worstMs.toFixed(1)} ms`,
    `${report.largestMs.toFixed(0)} ms`,
    `${(report.growth / 2 ** 20).toFixed(1)} MiB`,
    report.problem === undefined ? 'fine' : 'BROKEN',
  ]);
  return formatTable(header, rows);
}

await program.parseAsync();
