/** What goes wrong in a way that the person at the terminal can do something about. */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** What to do next, one sentence; undefined where the message says it. */
  readonly next: string | undefined;
  /** Exit code: 1 the answer is no, 2 wrong use, 3 the cluster can't be asked. */
  readonly code: number;

  constructor(message: string, next?: string, code = 1) {
    super(message);
    this.next = next;
    this.code = code;
  }
}
