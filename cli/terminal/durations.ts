import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * How long jobs took last time, kept as JSON in one file so that the next run can say how long it will take. A missing or
 * damaged file is an empty memory: it only costs an estimate.
 */
export class Durations {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Seconds that `job` took last time, or undefined. */
  async recall(job: string): Promise<number | undefined> {
    const seconds = (await this.#read())[job];
    return typeof seconds === 'number' && seconds >= 0 ? seconds : undefined;
  }

  /** Remembers that `job` took `seconds`. */
  async remember(job: string, seconds: number): Promise<void> {
    const all = { ...(await this.#read()), [job]: Math.round(seconds) };
    await mkdir(path.dirname(this.#file), { recursive: true });
    const temporary = `${this.#file}.${process.pid}`;
    await writeFile(temporary, `${JSON.stringify(all, null, 2)}\n`);
    await rename(temporary, this.#file);
  }

  async #read(): Promise<Record<string, unknown>> {
    try {
      const parsed: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
    } catch {
      return {};
    }
  }
}
