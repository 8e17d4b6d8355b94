import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a program that serves, and waits until it does.
 * @param isReady is asked again and again
 * @throws {Error} when it ends instead, or is not ready after a minute; then it does not run
 */
export async function startProgram(
  binary: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<ChildProcess> {
  const child = spawn(binary, args, { stdio: 'ignore' });
  for (const end = performance.now() + 60_000; !(await isReady()); ) {
    if (performance.now() > end || hasEnded(child)) {
      await endProgram(child);
      throw new Error(`${binary} did not start`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

/** Ends a program at once, if it runs; its connections are closed. */
export async function endProgram(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
