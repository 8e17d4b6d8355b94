import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { CliError } from '../cli-error.ts';

/** A file that was read. */
export interface NamedText {
  /** As it was named; `standard input` for `-`. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads files, standard input (`-`), and the `.yaml`, `.yml` and `.json` files of folders.
 * @throws {CliError} with code 2 naming what can't be read
 */
export async function readFiles(names: readonly string[]): Promise<NamedText[]> {
  const files: NamedText[] = [];
  for (const name of names) {
    for (const file of await expand(name)) {
      try {
        const content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
        files.push({ name: file === '-' ? 'standard input' : file, text: content });
      } catch (error) {
        throw new CliError(`${file} can't be read: ${(error as Error).message}`, undefined, 2);
      }
    }
  }
  return files;
}

async function expand(name: string): Promise<string[]> {
  if (name === '-') return [name];
  const found = await stat(name).catch(() => undefined);
  if (!found?.isDirectory()) return [name];
  const entries = (await readdir(name)).filter((entry) => /\.(ya?ml|json)$/.test(entry)).sort();
  if (entries.length === 0) throw new CliError(`folder ${name} has no .yaml, .yml or .json file`, undefined, 2);
  return entries.map((entry) => path.join(name, entry));
}
