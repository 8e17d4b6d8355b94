import { Buffer } from 'node:buffer';

/** One entry of an archive. Paths are relative, with `/` between the parts and no trailing one. */
export type TarEntry =
  | { readonly path: string; readonly kind: 'directory'; readonly mode: number }
  | { readonly path: string; readonly kind: 'symlink'; readonly target: string }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly source: FileSource };

/** Where a file's bytes come from: a file on disk, or memory. */
export type FileSource = { readonly file: string; readonly size: number } | { readonly bytes: Uint8Array };

const BLOCK = 512;

/** The bytes that end an archive: two empty blocks (POSIX.1-2024, pax, "ustar Interchange Format"). */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** The size in bytes of a file entry's content; 0 for others. */
export function entrySize(entry: TarEntry): number {
  if (entry.kind !== 'file') return 0;
  return 'bytes' in entry.source ? entry.source.bytes.length : entry.source.size;
}

/** How many zero bytes follow `size` bytes of content to fill the last block. */
export function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 * The header of an entry: one ustar block, and a pax record before it where a path is too long for that. The same entry always gives the
 * same bytes: owner root, time 0.
 * @throws Error when the path is empty, absolute or climbs out of the archive.
 */
export function tarHeader(entry: TarEntry): Uint8Array {
  const parts = entry.path.split('/');
  if (entry.path === '' || entry.path.startsWith('/') || parts.includes('..')) {
    throw new Error(`archive path must be relative and stay inside: ${JSON.stringify(entry.path)}`);
  }
  const path = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const target = entry.kind === 'symlink' ? entry.target : '';
  const split = splitPath(path);
  const extended: string[] = [];
  if (split === undefined) extended.push(paxRecord('path', path));
  if (Buffer.byteLength(target) > 100) extended.push(paxRecord('linkpath', target));
  const [prefix, name] = split ?? ['', truncated(path, 100)];
  const type = { file: '0', symlink: '2', directory: '5' }[entry.kind];
  const mode = entry.kind === 'symlink' ? 0o777 : entry.mode;
  const block = ustarBlock({ name, prefix, mode, size: entrySize(entry), type, target: truncated(target, 100) });
  if (extended.length === 0) return block;
  const records = Buffer.from(extended.join(''));
  const lead = ustarBlock({ name: 'pax', prefix: '', mode: 0o644, size: records.length, type: 'x', target: '' });
  return Buffer.concat([lead, records, Buffer.alloc(paddingAfter(records.length)), block]);
}

/** A path as ustar's prefix (155 bytes) and name (100 bytes), or undefined when it does not fit. */
function splitPath(path: string): [string, string] | undefined {
  if (Buffer.byteLength(path) <= 100) return ['', path];
  for (let at = path.indexOf('/'); at > 0 && at < path.length - 1; at = path.indexOf('/', at + 1)) {
    const prefix = path.slice(0, at);
    const name = path.slice(at + 1);
    if (Buffer.byteLength(prefix) > 155) return undefined;
    if (Buffer.byteLength(name) <= 100) return [prefix, name];
  }
  return undefined;
}

function truncated(text: string, bytes: number): string {
  return Buffer.from(text).subarray(0, bytes).toString('latin1');
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits too. */
export function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

type Ustar = {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly target: string;
};

function ustarBlock(fields: Ustar): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void => {
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  };
  block.write(fields.name, 0, 100);
  octal(fields.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(fields.size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(fields.type, 156, 'latin1');
  block.write(fields.target, 157, 100);
  block.write('ustar\u000000', 257, 'latin1');
  block.write(fields.prefix, 345, 155);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/**
 * Entries in the order an archive wants them: each folder once and before what it holds, parents that nobody named added with mode 755, the rest
 * sorted by path.
 * @throws Error when two different things have one path.
 */
export function orderEntries(entries: readonly TarEntry[]): TarEntry[] {
  const byPath = new Map<string, TarEntry>();
  for (const entry of entries) {
    const present = byPath.get(entry.path);
    if (present !== undefined && present.kind !== entry.kind)
      throw new Error(`archive path is both ${present.kind} and ${entry.kind}: ${entry.path}`);
    byPath.set(entry.path, entry);
  }
  for (const path of [...byPath.keys()]) {
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at);
      if (!byPath.has(parent)) byPath.set(parent, { path: parent, kind: 'directory', mode: 0o755 });
    }
  }
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  // With `/` sorted before every other character, a folder comes before what it holds.
  return [...byPath.values()].sort((a, b) => order(a.path.replaceAll('/', '\0'), b.path.replaceAll('/', '\0')));
}
