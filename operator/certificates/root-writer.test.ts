import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SECRET } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import type { CaSecret } from './ca-secret.ts';
import { DEFAULT_LIFETIMES } from './lifetimes.ts';
import { firstState, newRoot } from './root-rotation.ts';
import type { RootState } from './root-state.ts';
import { RootWriter } from './root-writer.ts';

const namespace = 'heddle-system';
let [one, other]: RootState[] = [];
beforeAll(async () => {
  const now = Date.now();
  const roots = await Promise.all([0, 1].map(() => newRoot(DEFAULT_LIFETIMES, now)));
  [one, other] = roots.map((root) => firstState(root, now));
});

describe('the Secret of the root', () => {
  let api: MemoryApi;
  let writer: RootWriter;
  beforeEach(() => {
    api = new MemoryApi();
    writer = new RootWriter(api, { record: () => {} }, silentLogger);
  });

  const read = () => api.get<CaSecret>(SECRET, { namespace, name: 'heddle-ca' });
  const created = async () => (await writer.create(namespace, one as RootState)) as CaSecret;

  test('is that of whoever was first: another makes none, and is told so', async () => {
    await created();
    const before = await read();
    expect(await writer.create(namespace, other as RootState)).toBeUndefined();
    expect(await read()).toEqual(before);
  });

  test('is not written over one that somebody else wrote meanwhile', async () => {
    const stale = await created();
    await writer.update(stale, other as RootState);
    const before = await read();
    await expect(writer.update(stale, one as RootState)).rejects.toMatchObject({ code: 409 });
    expect(await read()).toEqual(before);
  });

  test('is known as replaced until the watch has brought what took its place', async () => {
    const stale = await created();
    expect(writer.hasReplaced(stale)).toBe(false);
    await writer.update(stale, other as RootState);
    expect([writer.hasReplaced(stale), writer.hasReplaced(await read())]).toEqual([true, false]);
  });
});
