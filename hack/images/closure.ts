import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { run, tryRun } from '../cluster/command.ts';
import type { TarEntry } from './tar.ts';

/**
 * The files that a program needs beside itself, from what ldd(1) prints: shared libraries and the dynamic loader.
 * @throws Error when a library is missing.
 */
export function parseLibraries(output: string): string[] {
  const files: string[] = [];
  for (const line of output.split('\n').map((each) => each.trim())) {
    if (line.endsWith('=> not found'))
      throw new Error(`a shared library is missing on this machine: ${line.split(' ')[0]}`);
    const file = /(?:^|=> )(\/\S+) \(0x/.exec(line)?.[1];
    if (file !== undefined) files.push(file);
  }
  return files;
}

/** Libraries that older C libraries load by name when they look up hosts and users, so that ldd does not see them. */
const LOADED_BY_NAME = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/**
 * Entries for programs and the closure of their libraries. Each library keeps its path, with the bytes that path leads to on this machine.
 * @param programs where each program stands on this machine, by its path in the image.
 * @throws Error when a program or one of its libraries is missing.
 */
export async function programEntries(programs: Readonly<Record<string, string>>): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  const libraries = new Set<string>();
  for (const [target, file] of Object.entries(programs)) {
    if (!existsSync(file)) throw new Error(`${file} is missing on this machine, and the image needs it`);
    entries.push(await fileEntry(target, file, 0o755));
    // ldd fails for a static program, which needs nothing.
    const listed = await tryRun('ldd', [file]);
    if (listed.code === 0) for (const library of parseLibraries(listed.stdout)) libraries.add(library);
  }
  const libc = [...libraries].find((library) => /\/libc\.so\.6$/.test(library));
  if (libc !== undefined) {
    for (const name of LOADED_BY_NAME) {
      const file = libc.replace(/libc\.so\.6$/, name);
      if (existsSync(file)) libraries.add(file);
    }
  }
  for (const library of libraries) entries.push(await fileEntry(library, library, 0o755));
  return entries;
}

/** An entry for a file on disk, links followed. `target` is its absolute path in the image. */
export async function fileEntry(target: string, file: string, mode: number): Promise<TarEntry> {
  const { size } = await stat(file);
  return { path: target.replace(/^\/+/, ''), kind: 'file', mode, source: { file, size } };
}

/** The path of a program on the PATH. @throws Error when it is not there. */
export async function whichProgram(name: string): Promise<string> {
  return (await run('sh', ['-c', `command -v -- "$1"`, 'sh', name])).trim();
}
