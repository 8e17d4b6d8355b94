import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRegistry, type DescFile, type Registry } from '@bufbuild/protobuf';
import { file_google_protobuf_wrappers } from '@bufbuild/protobuf/wkt';

const GENERATED = join(import.meta.dirname, '..', '..', '..', 'generated', 'envoy');

/** All of Envoy's generated messages, with which an `Any` can be read. */
export async function envoyRegistry(): Promise<Registry> {
  const files: DescFile[] = [];
  for (const path of await readdir(GENERATED, { recursive: true })) {
    if (!path.endsWith('_pb.js')) continue;
    const module = (await import(pathToFileURL(join(GENERATED, path)).href)) as Record<string, unknown>;
    files.push(...Object.values(module).filter(isFile));
  }
  return createRegistry(file_google_protobuf_wrappers, ...files);
}

function isFile(value: unknown): value is DescFile {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'file';
}
