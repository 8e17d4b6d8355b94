import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Canary } from '../../api/canary.ts';
import type { CanaryWebhook } from '../../api/canary-webhook.ts';
import { silentLogger } from '../../kube/logger.ts';
import { blockList } from '../outward/destination.ts';
import type { HookAnswer, HookCall } from './hook-call.ts';
import { HookRunner } from './hook-runner.ts';
import { specOf } from './observation.fixture.ts';
import { postJson } from './outcall.ts';

interface Seen {
  readonly url: string;
  readonly body: Record<string, unknown>;
  readonly response: ServerResponse;
}

const canary: Canary = {
  apiVersion: 'heddle.dev/v1alpha1',
  kind: 'Canary',
  metadata: { name: 'ordering', namespace: 'shop', uid: 'u1' },
  spec: specOf(),
  status: { phase: 'Progressing', canaryRevision: 'r2' },
};

let server: Server;
let origin: string;
let seen: Seen[];
let respond: (seen: Seen) => void;
let leading: boolean;
let runner: HookRunner;
let answered: string[];

beforeEach(async () => {
  seen = [];
  answered = [];
  leading = true;
  respond = ({ response }) => response.end('yes');
  server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const allowed = blockList(['127.0.0.0/8']);
  runner = new HookRunner({
    post: (url, body, bounds) => postJson(url, body, { ...bounds, allowed }),
    isLeader: () => leading,
    logger: silentLogger,
  });
  runner.onAnswer((target) => answered.push(target));
});

afterEach(async () => {
  runner.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const entry = { url: request.url ?? '', body: JSON.parse(Buffer.concat(parts).toString()), response };
  seen.push(entry);
  respond(entry);
}

function hookOf(more: Partial<CanaryWebhook> = {}): CanaryWebhook {
  return { type: 'rollout', name: 'load', url: `${origin}/ask`, timeout: '5s', ...more };
}

function callOf(more: Partial<HookCall> = {}): HookCall {
  return {
    hook: hookOf(),
    round: 'one',
    repeat: 'never',
    everyMs: 60_000,
    phase: 'Progressing',
    revision: 'r2',
    ...more,
  };
}

async function until<T>(probe: () => T | undefined): Promise<T> {
  for (const end = performance.now() + 15_000; performance.now() < end; ) {
    const found = probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('did not come about');
}

function ask(call: HookCall): Promise<HookAnswer> {
  runner.want(canary, 'shop/ordering', [call]);
  return until(() => runner.answer('u1', call));
}

describe('a question', () => {
  test('is sent as Flagger sends it, and its answer makes the release be looked at', async () => {
    const hook = hookOf({ metadata: { cmd: 'hey -z 1m' } });
    expect(await ask(callOf({ hook }))).toEqual({ passed: true, message: '' });
    const expected = {
      name: 'ordering',
      namespace: 'shop',
      phase: 'Progressing',
      checksum: 'r2',
      metadata: { cmd: 'hey -z 1m' },
    };
    expect(seen).toMatchObject([{ url: '/ask', body: expected }]);
    expect(answered).toEqual(['shop/ordering']);
  });

  test.each<[string, number, string, HookAnswer]>([
    ['202', 202, '', { passed: true, message: '' }],
    ['a no with a word', 403, 'gate is\n closed', { passed: false, message: '403 gate is closed' }],
    ['an error', 500, '', { passed: false, message: '500' }],
    ['a redirect that would make it a GET', 302, '', { passed: false, message: '302' }],
  ])('is answered by %s', async (_, status, text, expected) => {
    respond = ({ response }) => response.writeHead(status, { location: '/elsewhere' }).end(text);
    expect(await ask(callOf())).toEqual(expected);
    expect(seen).toHaveLength(1);
  });

  test('is asked once in a round, and anew in another', async () => {
    await ask(callOf());
    runner.want(canary, 'shop/ordering', [callOf()]);
    await ask(callOf({ round: 'two' }));
    expect(seen).toHaveLength(2);
    expect(runner.answer('u1', callOf())).toBeUndefined();
  });

  test('whose hook was changed meanwhile is asked anew', async () => {
    await ask(callOf());
    const changed = callOf({ hook: hookOf({ url: `${origin}/other` }) });
    expect(runner.answer('u1', changed)).toBeUndefined();
    await ask(changed);
    expect(seen.map(({ url }) => url)).toEqual(['/ask', '/other']);
  });

  test('is repeated until it is passed, or always', async () => {
    respond = ({ response }) => response.writeHead(seen.length < 3 ? 403 : 200).end();
    const gate = callOf({ repeat: 'until-passed', everyMs: 1 });
    await until(() => {
      runner.want(canary, 'shop/ordering', [gate]);
      return runner.answer('u1', gate)?.passed || undefined;
    });
    expect(seen).toHaveLength(3);
    const load = callOf({ repeat: 'always', everyMs: 1, round: 'load' });
    await until(() => {
      runner.want(canary, 'shop/ordering', [load]);
      return seen.length >= 6 || undefined;
    });
  });

  test('that was not answered is tried again as often as the hook says, and a no is not', async () => {
    respond = ({ response }) => (seen.length === 1 ? response.writeHead(503).end() : response.end());
    expect(await ask(callOf({ hook: hookOf({ retries: 1 }) }))).toMatchObject({ passed: true });
    expect(seen).toHaveLength(2);
    respond = ({ response }) => response.writeHead(403).end();
    expect(await ask(callOf({ hook: hookOf({ retries: 3 }), round: 'two' }))).toMatchObject({ passed: false });
    expect(seen).toHaveLength(3);
  });

  test('is not sent by a replica that does not lead, and that is no yes', async () => {
    leading = false;
    expect(await ask(callOf())).toMatchObject({ passed: false });
    expect(seen).toEqual([]);
  });

  test('that is forgotten meanwhile is heard no more', async () => {
    runner.want(canary, 'shop/ordering', [callOf()]);
    runner.want(canary, 'shop/ordering', []);
    expect(runner.answer('u1', callOf())).toBeUndefined();
    await until(() => seen[0]);
    expect(answered).toEqual([]);
    await ask(callOf());
    runner.forgetAll();
    expect(runner.answer('u1', callOf())).toBeUndefined();
  });
});

describe('a server that is no good', () => {
  test('and never answers is a no after its time', async () => {
    respond = () => {};
    expect(await ask(callOf({ hook: hookOf({ timeout: '50ms' }) }))).toEqual({
      passed: false,
      message: 'no answer within 50 ms',
    });
  });

  test('and sends without end is read no further than a bound', async () => {
    respond = ({ response }) => {
      response.writeHead(403);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    };
    expect(await ask(callOf())).toEqual({ passed: false, message: `403 ${'x'.repeat(200)}` });
  });

  test('and leads in circles is a no', async () => {
    respond = ({ response }) => response.writeHead(307, { location: '/ask' }).end();
    expect(await ask(callOf())).toEqual({ passed: false, message: 'it leads elsewhere more than 3 times' });
    expect(seen.every(({ body }) => body.name === 'ordering')).toBe(true);
  });

  test('and is this machine, or where clouds keep secrets, is not called', async () => {
    const post = (url: string) => postJson(url, {}, { timeoutMs: 1000, allowed: blockList([]) });
    await expect(post(`${origin}/`)).rejects.toThrow('127.0.0.1 has no address that may be called');
    await expect(post('http://169.254.169.254/')).rejects.toThrow('has no address that may be called');
    expect(seen).toEqual([]);
  });

  test('does not hold up the hooks of other Canaries', async () => {
    respond = ({ url, response }) => {
      if (url !== '/slow') response.end();
    };
    const slow = Array.from({ length: 40 }, (_, i) =>
      callOf({ hook: hookOf({ name: `slow-${i}`, url: `${origin}/slow` }) }),
    );
    runner.want({ ...canary, metadata: { ...canary.metadata, uid: 'u2' } }, 'shop/slow', slow);
    expect(await ask(callOf())).toMatchObject({ passed: true });
    expect(seen.filter(({ url }) => url === '/slow').length).toBeLessThanOrEqual(6);
  });
});

test('hooks of the type event are told of events', async () => {
  const hook = hookOf({ type: 'event', name: 'bus', metadata: { team: 'a' } });
  runner.tell(canary, [hook, hookOf()], { type: 'Warning', reason: 'Failed', message: 'it was given up' });
  const { body } = await until(() => seen[0]);
  expect(body).toEqual({
    name: 'ordering',
    namespace: 'shop',
    phase: 'Progressing',
    checksum: 'r2',
    metadata: {
      team: 'a',
      eventMessage: 'it was given up',
      eventType: 'Warning',
      timestamp: expect.stringMatching(/^\d{13}$/),
    },
  });
  expect(seen).toHaveLength(1);
});
