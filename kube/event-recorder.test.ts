import { describe, expect, test } from '@jest/globals';
import { EventRecorder } from './event-recorder.ts';
import { EVENT } from './kinds.ts';
import { KubeError } from './kube-error.ts';
import { MemoryApi } from './testing/memory-api.ts';

const subject = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 'a', uid: 'u' } };
const details = { type: 'Warning', reason: 'Broken', message: 'it is broken' } as const;
const recorder = (api: MemoryApi, burst = 25) =>
  new EventRecorder({ api, reporter: 'heddle.dev/x', instance: 'p', burst });

describe('EventRecorder', () => {
  test('a repeat raises the count of the first event', async () => {
    const api = new MemoryApi();
    const events = recorder(api);
    for (let i = 0; i < 3; i++) events.record(subject, details);
    events.record(subject, { ...details, message: 'otherwise' });
    await events.flush();
    const { items } = await api.list<{ note?: string; series?: { count: number }; metadata: object }>(EVENT);
    expect(items.map(({ note, series }) => [note, series?.count])).toEqual([
      ['it is broken', 3],
      ['otherwise', undefined],
    ]);
  });

  test('makes a new event when the first has gone', async () => {
    const api = new MemoryApi();
    const events = recorder(api);
    events.record(subject, details);
    await events.flush();
    const [first] = (await api.list(EVENT)).items;
    await api.delete(EVENT, { namespace: 'shop', name: first?.metadata?.name ?? '' });
    events.record(subject, details);
    await events.flush();
    expect((await api.list(EVENT)).items).toHaveLength(1);
  });

  test('is bounded per object', async () => {
    const api = new MemoryApi();
    const events = recorder(api, 5);
    for (let i = 0; i < 50; i++) events.record(subject, { ...details, message: `number ${i}` });
    await events.flush();
    expect(api.writes).toHaveLength(5);
  });

  test('a server that refuses events disturbs nobody', async () => {
    const api = new MemoryApi();
    api.fail = () => new KubeError(403, 'Forbidden', 'no');
    const events = recorder(api);
    events.record(subject, details);
    await expect(events.flush()).resolves.toBeUndefined();
  });
});
