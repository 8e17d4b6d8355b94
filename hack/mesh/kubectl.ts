import { spawn } from 'node:child_process';

/** What one kubectl command gave. */
export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlOptions {
  /** The program; default `kubectl` from the PATH. */
  readonly program?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

export interface RunOptions {
  /** Text for standard input. */
  readonly input?: string;
  /** After so many ms the command is ended; default 120,000. */
  readonly timeoutMs?: number;
}

/** A command that goes on until its standard input ends. */
export interface OpenCommand {
  /** Settles with the first line on its standard error, or with its end. */
  readonly begun: Promise<void>;
  /** Ends its standard input, and gives what the command printed, whatever its exit code. */
  end(): Promise<KubectlResult>;
}

/** A port of a pod that is reached by one of this machine, on 127.0.0.1. */
export interface Forward {
  readonly port: number;
  end(): Promise<void>;
}

/** kubectl against one cluster. */
export class Kubectl {
  readonly #program: string;
  readonly #arguments: readonly string[];

  constructor({ program = 'kubectl', kubeconfig, context }: KubectlOptions = {}) {
    this.#program = program;
    this.#arguments = [
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
      ...(context === undefined ? [] : ['--context', context]),
    ];
  }

  /** The command line a person would type for these arguments. */
  commandLine(args: readonly string[]): string {
    return [this.#program, ...this.#arguments, ...args].join(' ');
  }

  /** Runs a command and gives what it printed, whatever its exit code. */
  try(args: readonly string[], { input, timeoutMs = 120_000 }: RunOptions = {}): Promise<KubectlResult> {
    const { child, result } = this.#spawn(args, timeoutMs);
    child.stdin.end(input ?? '');
    return result;
  }

  /**
   * Starts a command and leaves its standard input open.
   * @param timeoutMs after so many ms it is ended all the same
   */
  open(args: readonly string[], timeoutMs: number): OpenCommand {
    const { child, result } = this.#spawn(args, timeoutMs);
    const begun = new Promise<void>((resolve, reject) => {
      child.stderr.once('data', () => resolve());
      result.then(() => resolve(), reject);
    });
    begun.catch(() => undefined);
    const end = (): Promise<KubectlResult> => {
      child.stdin.end();
      return result;
    };
    return { begun, end };
  }

  /**
   * Forwards any free port of this machine to one of a pod, until it is ended.
   * @param target arguments that name the pod
   * @throws {Error} with what kubectl says when it ends before it forwards
   */
  async forward(target: readonly string[], port: number): Promise<Forward> {
    const child = spawn(this.#program, [...this.#arguments, 'port-forward', ...target, `:${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
    const local = await new Promise<number>((resolve, reject) => {
      let said = '';
      const read = (text: string): void => {
        said += text;
        const [, found] = /^Forwarding from 127\.0\.0\.1:(\d+) /m.exec(said) ?? [];
        if (found !== undefined) resolve(Number(found));
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.on('error', reject);
      child.on('close', () => reject(new Error(`kubectl port-forward ${target.join(' ')}: ${said.trim()}`)));
    });
    const end = (): Promise<void> => {
      child.kill();
      return ended;
    };
    return { port: local, end };
  }

  #spawn(args: readonly string[], timeoutMs: number) {
    const child = spawn(this.#program, [...this.#arguments, ...args], { timeout: timeoutMs });
    child.stdin.on('error', () => {});
    const result = new Promise<KubectlResult>((resolve, reject) => {
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.on('error', reject);
      child.on('close', (code, signal) => {
        const note = signal === null ? '' : `ended by ${signal} after ${timeoutMs} ms\n`;
        resolve({ code: code ?? 1, stdout, stderr: stderr + note });
      });
    });
    return { child, result };
  }

  /**
   * Runs a command and gives what it printed to standard output.
   * @throws {Error} with the command and its error output when it fails
   */
  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${code}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  }

  /** Like `run`, with `-o json` added and read. */
  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.run([...args, '-o', 'json'])) as T;
  }

  /** Applies YAML text by server-side means of plain `kubectl apply`. */
  apply(yaml: string, args: readonly string[] = []): Promise<string> {
    return this.run(['apply', ...args, '-f', '-'], { input: yaml });
  }
}
