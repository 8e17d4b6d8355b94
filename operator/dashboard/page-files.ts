import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the page, as it is sent. */
export interface PageFile {
  readonly type: string;
  /** Its content's hash, in quotes. */
  readonly etag: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

/** What a page may consist of; tests and sources beside them are not served. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

const INDEX = '/index.html';
const compress = promisify(gzip);

/**
 * Reads a folder whole, so that no request ever opens a file. Gives its files by the path they are asked for by; `/` is `index.html`.
 * @throws {Error} when the folder cannot be read
 */
export async function readPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const type = TYPES[path.extname(entry.name)];
    if (!entry.isFile() || type === undefined || entry.name.includes('.test.')) continue;
    const file = path.join(entry.parentPath, entry.name);
    const body = await readFile(file);
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
    const url = `/${path.relative(folder, file).split(path.sep).join('/')}`;
    files.set(url, { type, etag, body, gzipped: await compress(body) });
  }
  const index = files.get(INDEX);
  if (index !== undefined) files.set('/', index);
  return files;
}
