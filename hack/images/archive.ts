import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { entrySize, orderEntries, paddingAfter, TAR_END, type TarEntry, tarHeader } from './tar.ts';

/**
 * Writes an archive of `entries` to `file`.
 * @returns the SHA-256 of the archive in hexadecimal.
 * @throws Error when a file on disk changes size while it is read.
 */
export async function writeArchive(file: string, entries: readonly TarEntry[]): Promise<string> {
  const hash = createHash('sha256');
  const output = await open(file, 'w', 0o644);
  let pending: Uint8Array[] = [];
  let pendingSize = 0;
  const flush = async (): Promise<void> => {
    const chunk = Buffer.concat(pending);
    pending = [];
    pendingSize = 0;
    hash.update(chunk);
    await output.writeFile(chunk);
  };
  // Most entries are small: gathered, they cost one write for a megabyte and not one for each.
  const write = async (bytes: Uint8Array): Promise<void> => {
    pending.push(bytes);
    pendingSize += bytes.length;
    if (pendingSize >= 1 << 20) await flush();
  };
  try {
    for (const entry of orderEntries(entries)) {
      await write(tarHeader(entry));
      if (entry.kind !== 'file') continue;
      for await (const chunk of contentOf(entry)) await write(chunk);
      await write(new Uint8Array(paddingAfter(entrySize(entry))));
    }
    await write(TAR_END);
    await flush();
  } finally {
    await output.close();
  }
  return hash.digest('hex');
}

async function* contentOf(entry: TarEntry & { kind: 'file' }): AsyncGenerator<Uint8Array> {
  if ('bytes' in entry.source) {
    yield entry.source.bytes;
    return;
  }
  let size = 0;
  for await (const chunk of createReadStream(entry.source.file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    yield chunk;
  }
  if (size !== entry.source.size) throw new Error(`${entry.source.file} changed while it was packed; try again`);
}
