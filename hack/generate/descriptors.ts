import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { hashFiles } from './stamp.ts';

const PROGRAM = join(import.meta.dirname, 'descriptors');
const SOURCES = ['main.go', 'packages.go', 'go.mod', 'go.sum'].map((name) => join(PROGRAM, name));
const MAX_BYTES = 64 * 1024 * 1024;

/** The files that decide what the descriptor set holds, for staleness checks. */
export function descriptorSources(): string[] {
  return [...SOURCES];
}

/**
 * The serialized `google.protobuf.FileDescriptorSet` of Envoy's API, from the cache or by running the Go program beside
 * this file (the first run compiles it, which takes a minute or two).
 *
 * @throws Error in one sentence when Go is missing or the program fails.
 */
export function loadDescriptorSet(log: (message: string) => void): Buffer {
  const directory = join(process.env.HEDDLE_CACHE || join(homedir(), '.cache', 'heddle'), 'descriptors');
  const file = join(directory, `${hashFiles(SOURCES).slice(0, 32)}.binpb`);
  try {
    return readFileSync(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  log('Compiling the Envoy API descriptors with Go (once; up to two minutes)');
  const set = runProgram();
  mkdirSync(directory, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, set);
  renameSync(temporary, file);
  return set;
}

function runProgram(): Buffer {
  const result = spawnSync('go', ['run', '.'], {
    cwd: PROGRAM,
    env: { ...process.env, GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off', CGO_ENABLED: '0' },
    maxBuffer: MAX_BYTES,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error && 'code' in result.error && result.error.code === 'ENOENT') {
    throw new Error('Go is needed to generate the Envoy API code: install Go 1.21 or newer and put it on the PATH.');
  }
  if (result.error) throw result.error;
  if (result.status !== 0) {
    const reason = result.stderr.toString().trim().split('\n').slice(-3).join(' ');
    throw new Error(`The Go program in hack/generate/descriptors failed: ${reason}`);
  }
  return result.stdout;
}
