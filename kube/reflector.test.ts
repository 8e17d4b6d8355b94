import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CONFIG_MAP } from './kinds.ts';
import type { KubeObject } from './object.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { answerJson, FaultServer } from './testing/fault-server.ts';
import { eventually } from './testing/memory-api.ts';

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
async function reflect(
  lists: readonly Step[],
  watches: readonly Step[],
  options: Partial<ReflectorOptions<KubeObject>> = {},
) {
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
  const reflector = new Reflector({ api, kind: CONFIG_MAP, backoffMs: [1, 5], absentMs: 10, idleMs: 5000, ...options });
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
/** Ends the connection without a word. */
const lose: Step = (request) => request.socket.resetAndDestroy();
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
    const run = await reflect([ok(list(5))], [hold(), hold(event('ADDED', configMap('a', 6)))], { idleMs: 50 });
    await eventually(() => run.changes.length === 1);
  });

  test('keeps trying when the first lists fail', async () => {
    const run = await reflect(
      [fail(500, 'InternalError'), fail(403, 'Forbidden'), ok(list(5, configMap('a', 1)))],
      [hold()],
    );
    expect(run.changes).toEqual(['+shop/a@1']);
  });

  test('asks again soon when nobody answers, however long it would wait for one who fails', async () => {
    const run = await reflect([lose, lose, lose, ok(list(5, configMap('a', 1)))], [hold()], {
      backoffMs: [600_000, 600_000],
      unreachedMs: 5,
    });
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
