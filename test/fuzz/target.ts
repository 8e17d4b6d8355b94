/** Something of ours that reads bytes of strangers. */
export interface Target {
  readonly name: string;
  /** What it reads and who can send it, for people. */
  readonly about: string;
  /** Real messages, made by the project's own code. */
  readonly seeds: readonly Uint8Array[];
  /** Messages as long as its port takes them that make as much work as such can. */
  largest(): Iterable<Uint8Array>;
  /** How its messages are built, so that they can be changed without falling apart. */
  readonly form: 'text' | 'json' | 'protobuf';
  /**
   * Reads bytes as the port does.
   * @throws {unknown} when there is a bug: what may be refused is caught here
   */
  run(bytes: Uint8Array): void | Promise<void>;
}
