/** `node hack/test/main.ts [layer…]`: runs the tests, layer by layer, and ends with `N passed, N failed`. */
import { Command } from 'commander';
import { formatTable } from '../../cli/terminal/table.ts';
import { requireMachine } from '../cluster/prerequisites.ts';
import { endCurrent } from './child.ts';
import { runLayer } from './layer-run.ts';
import { chooseLayers, LAYERS, type Layer, programsOf } from './layers.ts';
import { type Program, Programs } from './programs.ts';
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
const report = (line: string): boolean => process.stderr.write(`test: ${line}\n`);
let ended = false;
let programs: Programs | undefined;

/** Whether a layer that needs a cluster gets one on this machine. */
function isLocal({ context }: Options): boolean {
  try {
    requireMachine();
    return context === undefined;
  } catch {
    return false;
  }
}

async function runOne(layer: Layer, cluster: TestCluster, needed: readonly Program[]): Promise<Row> {
  const start = performance.now();
  process.stderr.write(`\ntest: ${layer.name}: ${layer.about}\n`);
  let tally: Tally = { passed: 0, failed: 1 };
  try {
    // Not within the layer's time: on a new machine it takes minutes.
    await programs?.ready(needed);
    if (ended) throw new Error('it was told to end');
    const env = await cluster.prepare(layer.needs);
    if (ended) throw new Error('it was told to end');
    tally = await runLayer(layer, env);
  } catch (error) {
    report(`${layer.name} could not run: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { layer: layer.name, tally, seconds: Math.round((performance.now() - start) / 1000) };
}

async function runAll(names: readonly string[], options: Options): Promise<void> {
  const layers = chooseLayers(names);
  const cluster = new TestCluster({ context: options.context, keep: options.keep ?? false });
  const rows: Row[] = [];
  const local = isLocal(options);
  programs = new Programs(
    layers.flatMap((layer) => programsOf(layer, local)),
    report,
  );
  try {
    for (const layer of layers) {
      if (!ended) rows.push(await runOne(layer, cluster, programsOf(layer, local)));
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
    programs?.stop();
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
