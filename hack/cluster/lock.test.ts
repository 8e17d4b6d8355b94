import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withLock } from './lock.ts';
import { formatRecord } from './process-record.ts';

describe('a lock', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lock-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('lets one in at a time, tells the others to wait, and leaves no file', async () => {
    const file = path.join(folder, 'a', 'one.lock');
    let inside = 0;
    let most = 0;
    let waited = 0;
    const enter = (): Promise<void> =>
      withLock(
        file,
        () => {
          waited += 1;
        },
        async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 20));
          inside -= 1;
        },
      );
    await Promise.all([enter(), enter(), enter()]);
    expect(most).toBe(1);
    expect(waited).toBeGreaterThan(0);
    expect(await readdir(path.dirname(file))).toEqual([]);
  });

  test.each([
    ['a process that died', formatRecord({ name: 'lock', pid: process.pid, startTicks: '1', bootId: 'another' })],
    ['nobody, because it is damaged', 'garbage'],
  ])('of %s counts for nothing', async (_, text) => {
    const file = path.join(folder, 'dead.lock');
    await writeFile(file, text);
    expect(
      await withLock(
        file,
        () => {},
        async () => 'in',
      ),
    ).toBe('in');
  });

  test('is given back when the work fails', async () => {
    const file = path.join(folder, 'failing.lock');
    const failing = withLock(
      file,
      () => {},
      () => Promise.reject(new Error('work failed')),
    );
    await expect(failing).rejects.toThrow('work failed');
    expect(
      await withLock(
        file,
        () => {},
        async () => 'in',
      ),
    ).toBe('in');
  });
});
