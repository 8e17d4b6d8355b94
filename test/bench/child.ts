import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** Node's flags with which the image starts the operator. */
export const OPERATOR_FLAGS: readonly string[] = ['--max-semi-space-size=16'];

/** Variables that the image gives it. */
export const OPERATOR_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '2' };

/** As in its pod, of whose limit of 1 GiB Node takes half for the heap: where there is more room, V8 collects later. */
export const POD_FLAGS: readonly string[] = [...OPERATOR_FLAGS, '--max-old-space-size=512'];

/** What a child has that others do not need. */
export interface ChildOptions {
  /** Node's flags besides those of every child. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** A file of this folder that it loads before its module. */
  readonly preload?: string;
  /** The file that takes what it writes; default: our own output does. */
  readonly logFile?: string;
}

/** A child process that answers over Node's message channel. It ends with the channel. */
export class Child {
  private readonly process: ChildProcess;
  private readonly answers: unknown[] = [];
  private wake: () => void = () => undefined;
  private exited: string | undefined;

  /** @param module a file of this folder */
  constructor(module: string, argument = '', { flags = [], env, preload, logFile }: ChildOptions = {}) {
    const path = new URL(module, import.meta.url);
    const before = preload === undefined ? [] : ['--import', new URL(preload, import.meta.url).href];
    const log = logFile === undefined ? 'inherit' : openSync(logFile, 'a');
    this.process = fork(path, [argument], {
      execArgv: ['--expose-gc', '--no-warnings', ...flags, ...before],
      stdio: ['inherit', log, log, 'ipc'],
      ...(env && { env }),
    });
    if (typeof log === 'number') closeSync(log);
    this.process.on('message', (answer) => {
      this.answers.push(answer);
      this.wake();
    });
    this.process.on('exit', (code, signal) => {
      this.exited = `${module} ended with ${code ?? signal}`;
      this.wake();
    });
  }

  send(message: object): void {
    this.process.send(message);
  }

  /** The next message of the child. @throws Error when it ended */
  async next<Answer>(): Promise<Answer> {
    while (this.answers.length === 0) {
      if (this.exited !== undefined) {
        throw new Error(this.exited);
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.answers.shift() as Answer;
  }

  async ask<Answer>(message: object): Promise<Answer> {
    this.send(message);
    return this.next();
  }

  /** Sends a signal: ends it as a crash would, or has it stand still and go on. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.process.kill(signal);
  }

  async stop(): Promise<void> {
    if (this.process.connected) {
      this.process.disconnect();
    }
    if (this.process.exitCode === null && this.process.signalCode === null) {
      await once(this.process, 'exit');
    }
  }
}
