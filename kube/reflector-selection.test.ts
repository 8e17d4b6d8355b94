import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONFIG_MAP } from './kinds.ts';
import type { ListOptions, WatchOptions } from './kube-api.ts';
import type { KubeObject } from './object.ts';
import { Reflector } from './reflector.ts';
import type { ResourceKind } from './resource-kind.ts';
import { eventually, MemoryApi } from './testing/memory-api.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Object of namespace `team-NAME`, with something to leave out. */
const inTeam = (team: string, name: string, version = 1): KubeObject & { data?: string } => ({
  metadata: { namespace: `team-${team}`, name, uid: `uid-${name}`, resourceVersion: String(version) },
  data: 'large',
});

describe('Reflector of some namespaces', () => {
  /** Follows ConfigMaps of the namespaces in `wanted`. @param rest as that of the reflector */
  async function follow(rest?: (object: KubeObject) => KubeObject | undefined) {
    const api = new MemoryApi();
    const wanted = new Set<string>();
    const lists: (string | undefined)[] = [];
    const refused = new Set<string>();
    const counting = {
      list: async <T extends KubeObject>(kind: ResourceKind, options: ListOptions = {}) => {
        lists.push(options.namespace);
        if (options.namespace !== undefined && refused.has(options.namespace)) throw new Error('refused');
        return api.list<T>(kind, options);
      },
      watch: <T extends KubeObject>(kind: ResourceKind, options: WatchOptions) => api.watch<T>(kind, options),
    };
    const reflector = new Reflector({
      api: counting,
      kind: CONFIG_MAP,
      backoffMs: [1, 5],
      wants: (namespace) => wanted.has(namespace),
      ...(rest === undefined ? {} : { rest }),
    });
    cleanups.push(() => reflector.stop());
    const want = (namespace: string, wants: boolean) => {
      if (wants) wanted.add(namespace);
      else wanted.delete(namespace);
      reflector.reselect(namespace);
    };
    return { api, reflector, lists, refused, want, keys: () => [...reflector.store.keys()].sort() };
  }

  test('keeps nothing of others, from the list or the watch', async () => {
    const { api, reflector, want, keys } = await follow();
    await api.create(CONFIG_MAP, inTeam('a', 'listed'));
    await api.create(CONFIG_MAP, inTeam('b', 'listed'));
    want('team-a', true);
    await reflector.start();
    await api.create(CONFIG_MAP, inTeam('b', 'watched'));
    await api.create(CONFIG_MAP, inTeam('a', 'watched'));
    await eventually(() => keys().includes('team-a/watched'));
    expect(keys()).toEqual(['team-a/listed', 'team-a/watched']);
  });

  test('fetches a namespace that becomes wanted, and nothing else', async () => {
    const { api, reflector, lists, want, keys } = await follow();
    await api.create(CONFIG_MAP, inTeam('a', 'one'));
    await api.create(CONFIG_MAP, inTeam('b', 'one'));
    await reflector.start();
    expect(keys()).toEqual([]);
    want('team-c', true);
    await api.create(CONFIG_MAP, inTeam('c', 'one'));
    await eventually(() => keys().length > 0);
    // The watch is under way by now.
    want('team-a', true);
    await eventually(() => keys().length > 1);
    expect(keys()).toEqual(['team-a/one', 'team-c/one']);
    expect(lists).toEqual([undefined, 'team-a']);
    await api.delete(CONFIG_MAP, { namespace: 'team-a', name: 'one' });
    await eventually(() => keys().length === 1);
  });

  test('fetches nothing of a namespace of which it left nothing out', async () => {
    const { api, reflector, lists, want, keys } = await follow();
    await reflector.start();
    want('team-a', true);
    await api.create(CONFIG_MAP, inTeam('a', 'one'));
    await eventually(() => keys().length > 0);
    expect(lists).toEqual([undefined]);
  });

  test('lets the objects of a namespace go at once when it is not wanted any more, and fetches them when it is again', async () => {
    const { api, reflector, want, keys } = await follow();
    want('team-a', true);
    await api.create(CONFIG_MAP, inTeam('a', 'one'));
    await reflector.start();
    const told: (string | undefined)[] = [];
    reflector.store.onChange(({ key, object }) => told.push(object ? `+${key}` : `-${key}`));
    want('team-a', false);
    expect(keys()).toEqual([]);
    want('team-a', true);
    await eventually(() => keys().length > 0);
    expect(told).toEqual(['-team-a/one', '+team-a/one']);
  });

  test('lists everything where a namespace can not be listed', async () => {
    const { api, reflector, lists, refused, want, keys } = await follow();
    await api.create(CONFIG_MAP, inTeam('a', 'one'));
    await reflector.start();
    refused.add('team-a');
    want('team-a', true);
    await eventually(() => keys().length > 0);
    expect(lists).toEqual([undefined, 'team-a', 'team-a', 'team-a', undefined]);
  });

  test('keeps what is left of an object, and puts the whole one in its place', async () => {
    const { api, reflector, want } = await follow(({ metadata }) => ({
      metadata: { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' },
    }));
    await api.create(CONFIG_MAP, inTeam('a', 'one'));
    await reflector.start();
    expect(reflector.store.get('team-a/one')).toEqual({ metadata: { namespace: 'team-a', name: 'one' } });
    want('team-a', true);
    await eventually(() => 'data' in (reflector.store.get('team-a/one') ?? {}));
    want('team-a', false);
    expect(reflector.store.get('team-a/one')).toEqual({ metadata: { namespace: 'team-a', name: 'one' } });
  });

  test('comes to what the API server has, whatever changes and is wanted in between', async () => {
    const step = fc.record({
      team: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('one', 'two'),
      what: fc.constantFrom('put', 'put', 'delete', 'want', 'leave', 'rest', 'fail'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { api, reflector, want, keys } = await follow();
        const wanted = new Set<string>();
        const there = new Set<string>();
        await reflector.start();
        for (const { team, name, what } of steps) {
          const key = `team-${team}/${name}`;
          if (what === 'put' && !there.has(key)) await api.create(CONFIG_MAP, inTeam(team, name));
          if (what === 'put') there.add(key);
          if (what === 'delete' && there.delete(key)) {
            await api.delete(CONFIG_MAP, { namespace: `team-${team}`, name });
          }
          if (what === 'want' || what === 'leave') {
            if (what === 'want') wanted.add(`team-${team}`);
            else wanted.delete(`team-${team}`);
            want(`team-${team}`, what === 'want');
          }
          if (what === 'rest') await new Promise(setImmediate);
          if (what === 'fail') {
            let left = 2;
            api.fail = (verb) => (verb !== 'create' && verb !== 'delete' && left-- > 0 ? new Error('down') : undefined);
          }
        }
        api.fail = undefined;
        const expected = [...there].filter((key) => wanted.has(key.split('/')[0] ?? '')).sort();
        await eventually(() => keys().join() === expected.join(), `${expected.join()} rather than ${keys().join()}`);
        // Nothing that is on its way undoes it.
        await new Promise(setImmediate);
        expect(keys()).toEqual(expected);
        await reflector.stop();
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
