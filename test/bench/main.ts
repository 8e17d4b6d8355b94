import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command } from 'commander';
import { paint } from '../../cli/terminal/colour.ts';
import { startProgress } from '../../cli/terminal/progress.ts';
import { formatTable } from '../../cli/terminal/table.ts';
import { BENCHES } from './registry.ts';
import type { BenchResult } from './result.ts';

const LONG = BENCHES.filter(({ byName }) => byName === true).map(({ name }) => name);

/** `npm run bench`: runs the benches one after another, prints a table and, when asked to, writes the figures as JSON. */
const program = new Command('bench')
  .description('Measures injection and the control plane on this machine.')
  .option('--json <file>', 'write the figures as JSON')
  .option('--only <names...>', `run only these: ${BENCHES.map(({ name }) => name).join(', ')}`)
  .addHelpText('after', `\nOnly when named, for they take long: ${LONG.join(', ')}.`)
  .action(async ({ json, only }: { json?: string; only?: string[] }) => {
    const unknown = (only ?? []).filter((name) => !BENCHES.some((bench) => bench.name === name));
    if (unknown.length > 0) {
      program.error(`no bench ${unknown.join(', ')}; there are ${BENCHES.map(({ name }) => name).join(', ')}`);
    }
    const results = await runAll(only);
    console.log(formatResults(results));
    if (json !== undefined) {
      const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version };
      await writeFile(json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
    }
  });

async function runAll(only: readonly string[] | undefined): Promise<BenchResult[]> {
  const chosen = BENCHES.filter(({ name, byName }) => only?.includes(name) ?? byName !== true);
  const progress = startProgress('Benches');
  const results: BenchResult[] = [];
  for (const [index, { name, run }] of chosen.entries()) {
    progress.update(index / chosen.length, name);
    results.push(...(await run()));
  }
  progress.finish(`${chosen.length} benches done`);
  return results;
}

function formatResults(results: readonly BenchResult[]): string {
  const rows = results.map(({ bench, figure, value, unit, aim }) => [
    bench,
    figure,
    `${value} ${unit}`.trim(),
    aim === undefined ? '' : `${aim} ${unit}`.trim(),
    aim === undefined ? '' : value <= aim ? paint('green', 'met') : paint('red', 'missed'),
  ]);
  return formatTable(['bench', 'figure', 'value', 'aim', ''], rows);
}

await program.parseAsync();
