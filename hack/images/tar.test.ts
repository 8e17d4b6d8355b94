import { Buffer } from 'node:buffer';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { run } from '../cluster/command.ts';
import { writeArchive } from './archive.ts';
import { orderEntries, paddingAfter, paxRecord, type TarEntry, tarHeader } from './tar.ts';

const text = (name: string, content: string, mode = 0o644): TarEntry => {
  return { path: name, kind: 'file', mode, source: { bytes: Buffer.from(content) } };
};

describe('an archive', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tar-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('is read back by tar(1): contents, modes, links, long names', async () => {
    const deep = `${'long-folder-name/'.repeat(8)}${'n'.repeat(120)}.js`;
    const file = path.join(folder, 'a.tar');
    const disk = path.join(folder, 'on-disk');
    await writeFile(disk, 'from the disk');
    const entries: TarEntry[] = [
      text(deep, 'deep'),
      text('bin/tool', 'tool', 0o755),
      { path: 'bin/link', kind: 'symlink', target: 'tool' },
      { path: 'tmp', kind: 'directory', mode: 0o1777 },
      { path: 'disk', kind: 'file', mode: 0o600, source: { file: disk, size: (await stat(disk)).size } },
    ];
    await writeArchive(file, entries);
    const out = path.join(folder, 'out');
    await run('mkdir', [out]);
    await run('tar', ['-xpf', file, '-C', out]);
    expect(await readFile(path.join(out, deep), 'utf8')).toBe('deep');
    expect(await readFile(path.join(out, 'bin/link'), 'utf8')).toBe('tool');
    expect(await readFile(path.join(out, 'disk'), 'utf8')).toBe('from the disk');
    expect((await stat(path.join(out, 'bin/tool'))).mode & 0o7777).toBe(0o755);
    expect((await stat(path.join(out, 'tmp'))).mode & 0o7777).toBe(0o1777);
  });

  test('has the same digest whatever the order its entries come in', async () => {
    const entries = [text('a/b', '1'), text('a/c', '2'), text('z', '3')];
    const first = await writeArchive(path.join(folder, '1.tar'), entries);
    const second = await writeArchive(path.join(folder, '2.tar'), [...entries].reverse());
    expect(second).toBe(first);
  });

  test('is not written when a file on disk changed in between', async () => {
    const disk = path.join(folder, 'changing');
    await writeFile(disk, 'longer than it was');
    const entry: TarEntry = { path: 'x', kind: 'file', mode: 0o644, source: { file: disk, size: 3 } };
    await expect(writeArchive(path.join(folder, '3.tar'), [entry])).rejects.toThrow('changed while it was packed');
  });
});

describe('a header', () => {
  test.each(['', '/etc/passwd', '../up', 'a/../../b'])('is refused for a path that leaves the archive: %j', (name) => {
    expect(() => tarHeader(text(name, ''))).toThrow('must be relative');
  });

  test('is always whole blocks', () => {
    const name = fc.stringMatching(/^[a-zé]{1,180}(\/[a-z]{1,180}){0,3}$/);
    fc.assert(fc.property(name, (each) => expect(tarHeader(text(each, 'x')).length % 512).toBe(0)));
  });

  test('with an extended record states its length, digits included', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 1200 }), (value) => {
        const record = paxRecord('path', value);
        expect(Number(record.split(' ')[0])).toBe(Buffer.byteLength(record));
      }),
    );
  });

  test.each([
    [0, 0],
    [1, 511],
    [512, 0],
    [513, 511],
  ])('is followed, after %d bytes, by %d bytes of padding', (size, padding) => {
    expect(paddingAfter(size)).toBe(padding);
  });
});

describe('the order of entries', () => {
  test('puts every folder before what it holds, and adds folders nobody named', () => {
    const ordered = orderEntries([text('a-b', ''), text('a/x', ''), text('a.b', '')]).map((entry) => entry.path);
    expect(ordered).toEqual(['a', 'a/x', 'a-b', 'a.b']);
  });

  test('refuses two kinds of thing at one path', () => {
    expect(() => orderEntries([text('a', ''), { path: 'a', kind: 'directory', mode: 0o755 }])).toThrow('both');
  });
});
