import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Text for the command's standard input. */
  readonly input?: string;
  /** Called with each line the command writes to standard error. */
  readonly onErrorLine?: (line: string) => void;
  /** Milliseconds after which the command is killed. Default: 10 minutes. */
  readonly timeoutMs?: number;
  /** Whether all that runs beside it comes first. It takes no longer for it where nothing does. */
  readonly isPatient?: boolean;
};

export type CommandResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

const OUTPUT_LIMIT = 64 * 1024 * 1024;
const TAIL_LINES = 12;

/**
 * Runs a program to its end, without a shell. Never throws for an exit code: see {@link run}.
 * @throws Error when the program cannot be started, or writes more than 64 MiB.
 */
export function tryRun(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    if (options.isPatient === true) giveWay(child.pid);
    // Not spawn's own timeout: that keeps us alive for a program that could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 600_000);
    const stdout: string[] = [];
    const stderr: string[] = [];
    let size = 0;
    let partial = '';
    const collect = (into: string[], text: string): void => {
      size += text.length;
      if (size > OUTPUT_LIMIT) child.kill();
      else into.push(text);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => collect(stdout, text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      collect(stderr, text);
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) options.onErrorLine?.(line);
    });
    child.on('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`${program} could not be started: ${cause.message}`, { cause }));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (signal !== null) stderr.push(`${program} was ended by ${signal}\n`);
      resolve({ code: code ?? 1, stdout: stdout.join(''), stderr: stderr.join('') });
    });
    // A program that ends before it has read its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

function giveWay(pid: number | undefined): void {
  try {
    // Without a process id it could not be started, and its end says why.
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended.
  }
}

/**
 * Runs a program to its end and gives its standard output.
 * @throws Error with the command line and the last lines it wrote, when it exits with anything but 0.
 */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryRun(program, args, options);
  if (result.code === 0) return result.stdout;
  const words = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-TAIL_LINES).join('\n');
  throw new Error(`${[program, ...args].join(' ').slice(0, 200)} exited with ${result.code}:\n${words}`);
}
