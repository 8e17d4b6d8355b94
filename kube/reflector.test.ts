import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CONFIG_MAP } from './kinds.ts';
import type { ListOptions, WatchOptions } from './kube-api.ts';
import type { KubeObject } from './object.ts';
import { Reflector } from './reflector.ts';
import type { ResourceKind } from './resource-kind.ts';
import { answerJson, FaultServer } from './testing/fault-server.ts';
import { eventually, MemoryApi } from './testing/memory-api.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const configMap = (name: string, version: number): KubeObject => ({
  metadata: { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion: String(version) },
});
const list = (version: number, ...items: KubeObject[]) => ({ metadata: { resourceVersion: String(version) }, items });
const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const status = (code: number, reason: string) => ({ kind: 'Status', code, reason, message: `${reason} it is` });

type Step = (request: IncomingMessage, response: ServerResponse) => void;

/** Runs a reflector against a server that answers lists and watches from two scripts; the last step repeats. */
async function reflect(lists: readonly Step[], watches: readonly Step[], idleMs = 5000) {
  let listed = 0;
  let watched = 0;
  const server = new FaultServer((request, response) => {
    const isWatch = request.url?.includes('watch=1') ?? false;
    const script = isWatch ? watches : lists;
    const step = script[Math.min(isWatch ? watched++ : listed++, script.length - 1)];
    step?.(request, response);
  });
  const api = await server.start();
  cleanups.push(() => server.stop());
  const reflector = new Reflector({ api, kind: CONFIG_MAP, backoffMs: [1, 5], absentMs: 10, idleMs });
  cleanups.push(() => reflector.stop());
  const changes: string[] = [];
  reflector.store.onChange(({ key, object, previous }) => {
    changes.push(`${object ? (previous ? '~' : '+') : '-'}${key}@${(object ?? previous)?.metadata?.resourceVersion}`);
  });
  await reflector.start();
  return { server, reflector, changes, watchUrls: () => server.requests.filter((url) => url.includes('watch=1')) };
}

const ok =
  (body: unknown): Step =>
  (_, response) =>
    answerJson(response, body);
const fail =
  (code: number, reason: string): Step =>
  (_, response) =>
    answerJson(response, status(code, reason), code);
/** Sends lines and keeps the watch open. */
const hold =
  (...lines: string[]): Step =>
  (_, response) => {
    response.writeHead(200);
    response.write(lines.join('') || '\n');
  };
const end =
  (...lines: string[]): Step =>
  (_, response) => {
    response.writeHead(200);
    response.end(lines.join(''));
  };

describe('Reflector', () => {
  test('lists, then follows the watch', async () => {
    const run = await reflect(
      [ok(list(5, configMap('a', 1), configMap('b', 2)))],
      [
        hold(
          event('MODIFIED', configMap('a', 6)),
          event('DELETED', configMap('b', 7)),
          event('ADDED', configMap('c', 8)),
        ),
      ],
    );
    await eventually(() => run.changes.length === 5);
    expect(run.changes).toEqual(['+shop/a@1', '+shop/b@2', '~shop/a@6', '-shop/b@2', '+shop/c@8']);
    expect(run.reflector.store.get('shop/a')).toMatchObject({ metadata: { resourceVersion: '6' } });
  });

  test('resumes from the last bookmark when the server ends the watch', async () => {
    const bookmark = event('BOOKMARK', { metadata: { resourceVersion: '40' } });
    const run = await reflect([ok(list(5))], [end(bookmark), hold()]);
    await eventually(() => run.watchUrls().length === 2);
    expect(run.watchUrls()[1]).toContain('resourceVersion=40');
    expect(run.server.requests).toHaveLength(3);
  });

  test('resumes after a reset in the middle of a line', async () => {
    let reset = () => {};
    const begin: Step = (request, response) => {
      reset = () => request.socket.resetAndDestroy();
      hold(event('ADDED', configMap('a', 6)), '{"type":"MODI')(request, response);
    };
    const run = await reflect([ok(list(5))], [begin, hold(event('MODIFIED', configMap('a', 7)))]);
    await eventually(() => run.changes.length === 1);
    reset();
    await eventually(() => run.changes.length === 2);
    expect(run.changes).toEqual(['+shop/a@6', '~shop/a@7']);
    expect(run.watchUrls()[1]).toContain('resourceVersion=6');
  });

  test.each([
    ['an ERROR event', end(event('ERROR', status(410, 'Expired')))],
    ['an HTTP 410', fail(410, 'Expired')],
  ])('lists again on %s and tells only the differences', async (_, gone) => {
    const run = await reflect(
      [
        ok(list(5, configMap('same', 1), configMap('gone', 2), configMap('changed', 3))),
        ok(list(9, configMap('same', 1), configMap('changed', 8), configMap('fresh', 9))),
      ],
      [gone, hold()],
    );
    await eventually(() => run.changes.length === 6);
    expect(run.changes.slice(3)).toEqual(['-shop/gone@2', '~shop/changed@8', '+shop/fresh@9']);
  });

  test('lists again when watches keep failing', async () => {
    const run = await reflect(
      [ok(list(5)), ok(list(6, configMap('a', 6)))],
      [fail(500, 'InternalError'), fail(500, 'InternalError'), fail(500, 'InternalError'), hold()],
    );
    await eventually(() => run.changes.length === 1);
    expect(run.changes).toEqual(['+shop/a@6']);
  });

  test('survives a malformed line', async () => {
    const run = await reflect([ok(list(5))], [end('{"type":"ADDED","obj\n'), hold(event('ADDED', configMap('a', 6)))]);
    await eventually(() => run.changes.length === 1);
  });

  test('begins anew when the watch falls silent', async () => {
    const run = await reflect([ok(list(5))], [hold(), hold(event('ADDED', configMap('a', 6)))], 50);
    await eventually(() => run.changes.length === 1);
  });

  test('keeps trying when the first lists fail', async () => {
    const run = await reflect(
      [fail(500, 'InternalError'), fail(403, 'Forbidden'), ok(list(5, configMap('a', 1)))],
      [hold()],
    );
    expect(run.changes).toEqual(['+shop/a@1']);
  });

  test('a kind without CRD is empty and synced, and appears later', async () => {
    const run = await reflect([fail(404, 'NotFound'), ok(list(5, configMap('a', 1)))], [hold()]);
    expect(run.reflector.store.hasSynced).toBe(true);
    await eventually(() => run.changes.length === 1);
  });

  test('reports objects as deleted when their CRD goes', async () => {
    const run = await reflect([ok(list(5, configMap('a', 1))), fail(404, 'NotFound')], [fail(404, 'NotFound')]);
    await eventually(() => run.changes.length === 2);
    expect(run.changes).toEqual(['+shop/a@1', '-shop/a@1']);
  });

  test('reads a list page by page', async () => {
    const first = { metadata: { resourceVersion: '5', continue: 'next' }, items: [configMap('a', 1)] };
    const run = await reflect([ok(first), ok(list(5, configMap('b', 2)))], [hold()]);
    expect([...run.reflector.store.keys()]).toEqual(['shop/a', 'shop/b']);
    expect(run.server.requests[1]).toContain('continue=next');
  });

  test('starts the list over when its continue token expires', async () => {
    const first = { metadata: { resourceVersion: '5', continue: 'next' }, items: [configMap('a', 1)] };
    const run = await reflect([ok(first), fail(410, 'Expired'), ok(list(6, configMap('b', 2)))], [hold()]);
    expect([...run.reflector.store.keys()]).toEqual(['shop/b']);
  });
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
