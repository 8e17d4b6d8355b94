import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  type CodeGeneratorResponse,
  CodeGeneratorResponseSchema,
  type FileDescriptorSet,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { loadDescriptorSet } from './descriptors.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const OUTPUT = join(ROOT, 'generated', 'envoy');
const PLUGIN = join(ROOT, 'node_modules', '.bin', 'protoc-gen-es');
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Writes JavaScript and type declarations of Envoy's messages to `generated/envoy`, replacing what was there.
 *
 * @throws Error in one sentence when Go is missing or the plugin refuses the descriptors.
 */
export function generateProtobuf(log: (message: string) => void): void {
  const response = runPlugin(fromBinary(FileDescriptorSetSchema, loadDescriptorSet(log)));
  const temporary = `${OUTPUT}.${process.pid}`;
  for (const file of response.file) {
    const path = join(temporary, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.content);
  }
  // Whole or not at all: a run that is broken off leaves the old code.
  rmSync(OUTPUT, { recursive: true, force: true });
  renameSync(temporary, OUTPUT);
  log(`Wrote ${response.file.length} files to generated/envoy`);
}

/** The plugin protocol (`google/protobuf/compiler/plugin.proto`) by hand: what protoc would do, without protoc. */
function runPlugin(set: FileDescriptorSet): CodeGeneratorResponse {
  const request = create(CodeGeneratorRequestSchema, {
    // The well-known types are imported from the runtime library.
    fileToGenerate: set.file.map((file) => file.name).filter((name) => !name.startsWith('google/protobuf/')),
    protoFile: set.file,
    sourceFileDescriptors: set.file,
    parameter: 'target=js+dts,import_extension=js',
  });
  const result = spawnSync(PLUGIN, { input: toBinary(CodeGeneratorRequestSchema, request), maxBuffer: MAX_BYTES });
  if (result.error) throw new Error(`protoc-gen-es does not run (${result.error.message}): run npm ci.`);
  if (result.status !== 0) throw new Error(`protoc-gen-es failed: ${result.stderr.toString().trim()}`);
  const response = fromBinary(CodeGeneratorResponseSchema, result.stdout);
  if (response.error) throw new Error(`protoc-gen-es refused the descriptors: ${response.error}`);
  return response;
}
