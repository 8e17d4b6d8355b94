/** `node hack/test/main.ts [layer…]`: runs the tests, layer by layer, and ends with `N passed, N failed`. */
import { Command } from 'commander';
import { formatTable } from '../../cli/terminal/table.ts';
import { endCurrent } from './child.ts';
import { runLayer } from './layer-run.ts';
import { chooseLayers, LAYERS, type Layer } from './layers.ts';
import { prepare } from './programs.ts';
import { exitCode, lastLine, sum, type Tally } from './tally.ts';
import { TestCluster } from './test-cluster.ts';

interface Options {
  readonly context?: string;
  readonly keep?: boolean;
}

interface Row {
  readonly layer: string;
  readonly tally: Tally;
  readonly seconds: number;
}

const about = LAYERS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join('\n');
let ended = false;

async function runOne(layer: Layer, cluster: TestCluster): Promise<Row> {
  const start = performance.now();
  process.stderr.write(`\ntest: ${layer.name}: ${layer.about}\n`);
  let tally: Tally = { passed: 0, failed: 1 };
  try {
    // Not within the layer's time: on a new machine it takes minutes.
    const env = await cluster.prepare(layer.needs);
    await prepare(layer.programs, (line) => process.stderr.write(`test: ${line}\n`));
    if (ended) throw new Error('it was told to end');
    tally = await runLayer(layer, env);
  } catch (error) {
    process.stderr.write(
      `test: ${layer.name} could not run: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
  return { layer: layer.name, tally, seconds: Math.round((performance.now() - start) / 1000) };
}

async function runAll(names: readonly string[], options: Options): Promise<void> {
  const layers = chooseLayers(names);
  const cluster = new TestCluster({ context: options.context, keep: options.keep ?? false });
  const rows: Row[] = [];
  try {
    for (const layer of layers) {
      if (!ended) rows.push(await runOne(layer, cluster));
    }
  } finally {
    await cluster.release();
  }
  const cells = rows.map(({ layer, tally, seconds }) => [
    layer,
    String(tally.passed),
    String(tally.failed),
    `${seconds} s`,
  ]);
  const total = sum(rows.map(({ tally }) => tally));
  process.stdout.write(`\n${formatTable(['layer', 'passed', 'failed', 'time'], cells)}\n`);
  process.stdout.write(`${lastLine(total)}\n`);
  process.exitCode = ended ? 1 : exitCode(total);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    ended = true;
    endCurrent();
  });
}

await new Command('test')
  .description('Runs the tests, layer by layer; all of them without arguments.')
  .argument('[layers...]', 'which layers')
  .option('--context <name>', "a cluster of your own, with Heddle's images in reach, in place of the local one")
  .option('--keep', 'leave the local cluster up at the end')
  .addHelpText('after', `\nLayers:\n${about}`)
  .action(runAll)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`test: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  });
