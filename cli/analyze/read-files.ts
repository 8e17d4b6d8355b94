import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CliError } from '../cli-error.ts';
import { type ReadFile, readDocuments } from './documents.ts';

/** In folders JSON is seldom an object of Kubernetes: who means one names it. */
const YAML = /\.ya?ml$/i;

/**
 * Reads files, and those of folders, all the way down.
 * @param paths `-`: standard input
 * @throws {CliError} with code 2 for what is not there
 */
export async function readFiles(paths: readonly string[]): Promise<ReadFile> {
  const read = await Promise.all(paths.map(readPath));
  const all = read.flat();
  return { objects: all.flatMap(({ objects }) => objects), findings: all.flatMap(({ findings }) => findings) };
}

async function readPath(path: string): Promise<ReadFile[]> {
  if (path === '-') return [readDocuments('-', await text(process.stdin))];
  try {
    if (!(await stat(path)).isDirectory()) return [readDocuments(path, await readFile(path, 'utf8'))];
    const names = (await readdir(path, { recursive: true })).filter(
      (name) => YAML.test(name) && !name.includes('node_modules'),
    );
    return Promise.all(
      names.sort().map(async (name) => readDocuments(join(path, name), await readFile(join(path, name), 'utf8'))),
    );
  } catch (error) {
    throw new CliError(`${path} can't be read: ${(error as Error).message}`, undefined, 2);
  }
}
