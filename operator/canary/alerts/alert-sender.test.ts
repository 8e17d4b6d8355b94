import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AlertProvider } from '../../../api/alert-provider.ts';
import type { Canary } from '../../../api/canary.ts';
import { ALERT_PROVIDER, SECRET } from '../../../kube/kinds.ts';
import { KubeError } from '../../../kube/kube-error.ts';
import type { Logger } from '../../../kube/logger.ts';
import { MemoryApi } from '../../../kube/testing/memory-api.ts';
import { blockList } from '../../outward/destination.ts';
import type { CanaryEvent } from '../draft.ts';
import { specOf } from '../observation.fixture.ts';
import { postJson } from '../outcall.ts';
import { AlertSender } from './alert-sender.ts';

interface Seen {
  readonly url: string;
  readonly host: string;
  readonly body: Record<string, unknown>;
}

let api: MemoryApi;
let server: Server;
let origin: string;
let seen: Seen[];
let respond: (response: ServerResponse) => void;
let sender: AlertSender;
let events: CanaryEvent[];
let logged: string[];

const FAILED: CanaryEvent = { type: 'Warning', reason: 'Failed', message: 'revision r2 was given up' };

beforeEach(async () => {
  api = new MemoryApi();
  seen = [];
  events = [];
  logged = [];
  respond = (response) => response.end('ok');
  server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    seen.push({
      url: request.url ?? '',
      host: request.headers.host ?? '',
      body: JSON.parse(Buffer.concat(parts).toString()),
    });
    respond(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  sender = new AlertSender({
    api,
    post: (url, body, bounds) => postJson(url, body, { ...bounds, allowed: blockList(['127.0.0.0/8']) }),
    isLeader: () => true,
    event: (_, event) => events.push(event),
    logger,
    retryMs: 1,
  });
});

afterEach(async () => {
  sender.stop();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function provider(spec: object, name = 'team', namespace = 'shop'): Promise<void> {
  const metadata = { name, namespace, generation: 1 };
  await api.create(ALERT_PROVIDER, {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'AlertProvider',
    metadata,
    spec,
  } as AlertProvider);
}

function canaryWith(...alerts: object[]): Canary {
  const spec = specOf({ alerts: alerts.map((alert, i) => ({ name: `alert-${i}`, ...alert })) });
  const metadata = { name: 'ordering', namespace: 'shop', uid: 'u1' };
  const status = { phase: 'Failed' as const, stableRevision: 'r1', canaryRevision: 'r2', weight: 0 };
  return { apiVersion: 'heddle.dev/v1alpha1', kind: 'Canary', metadata, spec, status };
}
const toTeam = { providerRef: { name: 'team' } };

async function until<T>(probe: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + 15_000; performance.now() < end; ) {
    const found = await probe();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('did not come about');
}

function delivered(): Promise<unknown> {
  return until(async () => {
    const { status } = await api.get<AlertProvider>(ALERT_PROVIDER, { namespace: 'shop', name: 'team' });
    return status?.conditions?.find(({ type }) => type === 'Delivered');
  });
}

describe('an alert', () => {
  test('is sent with what there is to know, and the provider says that it was taken', async () => {
    await provider({ type: 'webhook', address: `${origin}/alerts` });
    sender.send(canaryWith(toTeam), FAILED);
    expect(await delivered()).toMatchObject({ status: 'True', reason: 'Taken' });
    expect(seen).toMatchObject([
      {
        url: '/alerts',
        body: {
          name: 'ordering',
          namespace: 'shop',
          severity: 'error',
          reason: 'Failed',
          message: 'revision r2 was given up',
          phase: 'Failed',
          revision: 'r2',
          facts: { Target: 'Deployment/ordering', 'Stable revision': 'r1', Weight: '0 %' },
        },
      },
    ]);
    expect(events).toEqual([]);
  });

  test('has no fact without a value, for which Discord would refuse all of it', async () => {
    await provider({ type: 'webhook', address: `${origin}/alerts` });
    const { status: _, ...unseen } = canaryWith(toTeam);
    sender.send(unseen, {
      type: 'Warning',
      reason: 'InvalidSpec',
      message: 'spec.analysis.interval: must be 1s or more',
    });
    await delivered();
    expect(seen[0]?.body.facts).toEqual({ Target: 'Deployment/ordering', Phase: 'Initializing', Weight: '0 %' });
  });

  test('goes only where so grave a one is wanted, and nowhere of an event that is none or muted', async () => {
    for (const name of ['info', 'warn', 'error'])
      await provider({ type: 'webhook', address: `${origin}/${name}` }, name);
    const canary = canaryWith(
      ...['info', 'warn', 'error'].map((severity) => ({ severity, providerRef: { name: severity } })),
    );
    const waiting = { type: 'Normal', reason: 'AwaitingConfirmation', message: 'm' } as const;
    sender.send(canary, { ...waiting, muted: true });
    sender.send(canary, { type: 'Normal', reason: 'CheckPassed', message: 'm' });
    sender.send(canary, waiting);
    sender.send(canary, { type: 'Normal', reason: 'Succeeded', message: 'm' });
    const urls = await until(() => (seen.length >= 3 ? seen.map(({ url }) => url).sort() : undefined));
    expect(urls).toEqual(['/info', '/info', '/warn']);
  });

  test('goes to the address in a Secret, which stands in no log, event or condition', async () => {
    await provider({ type: 'slack', secretRef: { name: 'slack' } });
    const data = { address: Buffer.from(`${origin}/T0/topsecret\n`).toString('base64') };
    await api.create(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'slack', namespace: 'shop' },
      data,
    } as object);
    respond = (response) => response.writeHead(404).end();
    sender.send(canaryWith(toTeam), FAILED);
    const condition = await delivered();
    expect(condition).toMatchObject({ status: 'False', reason: 'NotTaken', message: 'slack answers 404' });
    expect(seen.map(({ url }) => url)).toEqual(['/T0/topsecret']);
    expect(JSON.stringify([condition, events, logged])).not.toContain('topsecret');
    expect(events).toMatchObject([
      { reason: 'AlertFailed', message: 'spec.analysis.alerts: alert-0 was not delivered: slack answers 404' },
    ]);
  });

  test('is sent again when the provider could not take it', async () => {
    await provider({ type: 'webhook', address: origin });
    respond = (response) => response.writeHead(seen.length < 3 ? 429 : 200).end();
    sender.send(canaryWith(toTeam), FAILED);
    expect(await delivered()).toMatchObject({ status: 'True' });
    expect(seen).toHaveLength(3);
  });

  test('of a Canary that is not valid is sent where that can be read, and never throws', async () => {
    await provider({ type: 'webhook', address: origin });
    const invalid = { type: 'Warning', reason: 'InvalidSpec', message: 'spec.analysis: bad' } as const;
    const canary = canaryWith(toTeam);
    for (const spec of [undefined, {}, { analysis: { alerts: 'nobody' } }])
      sender.send({ ...canary, spec } as never, invalid);
    sender.send({ ...canary, spec: { analysis: { alerts: [{ name: 'a', ...toTeam }] } } } as never, invalid);
    expect(await delivered()).toMatchObject({ status: 'True' });
    expect(seen).toHaveLength(1);
  });

  test('is given up after some tries', async () => {
    await provider({ type: 'webhook', address: origin });
    respond = (response) => response.writeHead(503).end();
    sender.send(canaryWith(toTeam), FAILED);
    expect(await delivered()).toMatchObject({ status: 'False', message: 'webhook answers 503, after 4 tries' });
    expect(seen).toHaveLength(4);
  });

  test('goes through a proxy', async () => {
    await provider({ type: 'webhook', address: 'http://chat.example/hook', proxy: origin });
    sender.send(canaryWith(toTeam), FAILED);
    expect(await delivered()).toMatchObject({ status: 'True' });
    expect(seen).toMatchObject([{ url: 'http://chat.example/hook', host: 'chat.example' }]);
  });
});

describe('an alert that can go nowhere', () => {
  const secret = (more: object) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'slack', namespace: 'shop' },
    ...more,
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ['has no provider', async () => {}, /there is no AlertProvider shop\/team/],
    [
      'has a provider without a Secret',
      () => provider({ type: 'slack', secretRef: { name: 'slack' } }),
      /Secret shop\/slack, which spec.secretRef names, does not exist/,
    ],
    [
      'has a Secret without an address',
      async () => {
        await provider({ type: 'slack', secretRef: { name: 'slack' } });
        await api.create(SECRET, secret({}));
      },
      /has no key address/,
    ],
    [
      'has a Secret that may not be read',
      async () => {
        await provider({ type: 'slack', secretRef: { name: 'slack' } });
        api.fail = (_verb, { kind }) => (kind === 'Secret' ? new KubeError(403, 'Forbidden', 'no') : undefined);
      },
      /may not be read by the operator; grant it by a Role \(verb get, resource secrets, resourceNames slack\)/,
    ],
    [
      'has a provider that is not valid',
      () => provider({ type: 'pigeon', address: 'http://a/' }),
      /is not valid: spec.type: /,
    ],
  ])('because it %s says so', async (_, given, message) => {
    await given();
    sender.send(canaryWith(toTeam), FAILED);
    const event = await until(() => events[0]);
    expect(event).toMatchObject({ type: 'Warning', reason: 'AlertFailed', message: expect.stringMatching(message) });
    expect(seen).toEqual([]);
  });
});
