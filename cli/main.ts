#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { lightenPackages } from './light-packages.ts';

// Half of what a short command takes is reading its own code: the second time it is there compiled.
enableCompileCache();
lightenPackages();
const { CommanderError } = await import('commander');
const { explainFailure } = await import('./failure.ts');
const { buildProgram } = await import('./program.ts');
const { guardTerminal } = await import('./terminal/guard.ts');

// Whoever reads has seen enough (`heddle ... | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

for (const stream of [process.stdout, process.stderr]) guardTerminal(stream);

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Help and version count as success; what is wrong commander has said already.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { text, code } = explainFailure(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = code;
  }
}
