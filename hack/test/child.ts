import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Top of the checkout. */
export const ROOT = join(import.meta.dirname, '../..');

let current: ReturnType<typeof spawn> | undefined;

/**
 * Runs a program of `node_modules` with the terminal as its own.
 * @param script path below node_modules
 * @returns its exit code; 1 when a signal ended it
 */
export function runScript(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
      cwd: ROOT,
      // Standard output is ours alone: its last line is read by others.
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, ...env },
    });
    current = child;
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Ends the program that runs now. */
export function endCurrent(): void {
  current?.kill('SIGTERM');
}
