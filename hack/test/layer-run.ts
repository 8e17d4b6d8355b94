import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endCurrent, runScript } from './child.ts';
import { jestArguments, type Layer } from './layers.ts';
import { type Tally, tallyOf } from './tally.ts';

/** A Jest that is done has so long to end by itself. */
const SECONDS_TO_EXIT = 15;

/**
 * Runs one layer.
 * @param env variables for the tests
 */
export function runLayer(layer: Layer, env: Readonly<Record<string, string>>): Promise<Tally> {
  const limit = setTimeout(() => {
    process.stderr.write(`test: ${layer.name} is ended after ${layer.minutes} minutes\n`);
    endCurrent();
  }, layer.minutes * 60_000);
  const run = layer.jest === undefined ? runLint() : runJest(jestArguments(layer.jest), env);
  return run.finally(() => clearTimeout(limit));
}

async function runLint(): Promise<Tally> {
  const biome = await runScript('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']);
  const types = await runScript('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']);
  // For a browser, so with other globals.
  const page = await runScript('typescript/bin/tsc', ['--noEmit', '-p', 'operator/dashboard/page']);
  const failed = [biome, types, page].filter((code) => code !== 0).length;
  return { passed: 3 - failed, failed };
}

/** Ends a Jest that has written its results and yet does not exit: a test left a socket, a timer or a process behind. */
function endWhenDone(outputFile: string): NodeJS.Timeout {
  let doneFor = 0;
  return setInterval(() => {
    if (!existsSync(outputFile)) return;
    doneFor += 1;
    if (doneFor !== SECONDS_TO_EXIT) return;
    process.stderr.write(
      'test: a test left something open that keeps Jest up; `npx jest --detectOpenHandles FILE` tells what\n',
    );
    endCurrent();
  }, 1000);
}

async function runJest(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-test-'));
  const outputFile = join(folder, 'result.json');
  const watch = endWhenDone(outputFile);
  try {
    const code = await runScript(
      'jest/bin/jest.js',
      ['--json', '--outputFile', outputFile, '--passWithNoTests', ...args],
      {
        NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --no-warnings`.trim(),
        ...env,
      },
    );
    const tally = tallyOf(JSON.parse(await readFile(outputFile, 'utf8')));
    // Jest can fail without a failed test, e.g. by its configuration, or by a test that left something open.
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
  } catch (error) {
    process.stderr.write(`test: Jest left no result: ${error instanceof Error ? error.message : String(error)}\n`);
    return { passed: 0, failed: 1 };
  } finally {
    clearInterval(watch);
    await rm(folder, { recursive: true, force: true });
  }
}
