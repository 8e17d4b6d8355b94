import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs that broke something once, in a folder for each target. */
export const CORPUS = join(import.meta.dirname, 'corpus');

/** Those of a target. */
export function brokenOnce(name: string): { readonly file: string; readonly input: Buffer }[] {
  const folder = join(CORPUS, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((file) => ({ file, input: readFileSync(join(folder, file)) }));
}
