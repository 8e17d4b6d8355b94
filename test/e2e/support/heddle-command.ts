import { type ChildProcess, spawn } from 'node:child_process';
import { inTree } from '../../../hack/mesh/install.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const { HEDDLE_TEST_CONTEXT: context, HEDDLE_TEST_KUBECONFIG: kubeconfig } = process.env;

/** Flags that name the cluster under test, where the environment does not. */
export const where = context === undefined ? [] : ['--context', context];

/** Runs `heddle` as a person does, to its end. */
export function heddle(...args: readonly string[]): Promise<Ran> {
  return new RunningHeddle(args).ended;
}

/** The same, with a text for its standard input. */
export function heddleReading(input: string, ...args: readonly string[]): Promise<Ran> {
  return new RunningHeddle(args, input).ended;
}

/** A command that goes on until it is told to end. */
export class RunningHeddle {
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[], input = '') {
    const env = { ...process.env, NODE_OPTIONS: '--no-warnings', ...(kubeconfig ? { KUBECONFIG: kubeconfig } : {}) };
    const child = spawn(process.execPath, [inTree('cli/main.ts'), ...args], { env });
    // A command that reads nothing may have ended before it is written.
    child.stdin.on('error', () => undefined).end(input);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code: code ?? -1, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  /** Waits until it has said what matches, on either of its outputs. @returns the match */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const find = () => pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
    await waitUntil(`${pattern}`, async () => (find() === null ? `${this.#stdout}${this.#stderr}` : undefined), {
      timeoutMs: 60_000,
    });
    return find() as RegExpExecArray;
  }

  /** Ctrl-C. */
  interrupt(): Promise<Ran> {
    this.#child.kill('SIGINT');
    return this.ended;
  }
}
