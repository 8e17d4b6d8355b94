import { generateKeyPairSync } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { CONFIG_MAP } from '../../kube/kinds.ts';
import { silentLogger } from '../../kube/logger.ts';
import type { KubeObject } from '../../kube/object.ts';
import { MemoryApi } from '../../kube/testing/memory-api.ts';
import { blockList } from '../outward/destination.ts';
import { KeyFetcher } from './key-fetcher.ts';
import { KEYS_CONFIG_MAP, recallKeys, rememberKeys } from './key-memory.ts';
import { type KeyServer, startKeyServer } from './testing/key-server.ts';

const setOf = (): string =>
  JSON.stringify({ keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })] });
const NAME = { namespace: 'heddle-system', name: KEYS_CONFIG_MAP };
const api = new MemoryApi();
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come about');
}

/** An operator that leads, from its start until its end. */
async function startOperator(uri: string, settleMs = 10_000) {
  const options = { api, namespace: NAME.namespace, logger: silentLogger };
  const allowed = blockList(['127.0.0.0/8']);
  const fetcher = new KeyFetcher({ allowed, logger: silentLogger, refreshMs: 100, retryMs: 20 });
  fetcher.recall(await recallKeys(options));
  fetcher.want(uri, 5000);
  await fetcher.settled(settleMs);
  const leading = new AbortController();
  rememberKeys({ ...options, fetcher }, leading.signal);
  const stop = () => {
    leading.abort();
    fetcher.stop();
  };
  ends.push(stop);
  return { fetcher, stop };
}

async function kept(): Promise<Record<string, string>> {
  const found = await api.get<KubeObject & { data: Record<string, string> }>(CONFIG_MAP, NAME).catch(() => undefined);
  return JSON.parse(found?.data['keys.json'] ?? '{}');
}

async function serve(page: () => string | undefined): Promise<KeyServer> {
  const server = await startKeyServer((_, response) => {
    const text = page();
    if (text === 'hang') return;
    if (text === undefined) response.writeHead(503).end();
    else response.end(text);
  });
  ends.push(() => server.stop());
  return server;
}

test('keys outlive the operator where their server does not, and newer ones take their place', async () => {
  let page: string | undefined = setOf();
  const uri = (await serve(() => page)).url;
  const first = await startOperator(uri);
  await until(async () => uri in (await kept()));
  const keys = first.fetcher.get(uri)?.keys;
  first.stop();

  page = undefined;
  const second = await startOperator(uri);
  expect(second.fetcher.get(uri)).toMatchObject({ keys, problem: 'the server answered 503' });
  page = setOf();
  await until(() => second.fetcher.get(uri)?.problem === undefined);
  expect(second.fetcher.get(uri)?.keys).not.toBe(keys);
  await until(async () => (await kept())[uri] === second.fetcher.get(uri)?.keys);
  second.stop();

  // A server that hangs holds up no start.
  page = 'hang';
  const third = await startOperator(uri, 100);
  expect(third.fetcher.get(uri)).toMatchObject({
    keys: second.fetcher.get(uri)?.keys,
    problem: 'there is no answer yet',
  });
});

test('keys that were withdrawn, or that nobody wants any more, are not kept', async () => {
  let page = setOf();
  const uri = (await serve(() => page)).url;
  const { fetcher } = await startOperator(uri);
  await until(async () => uri in (await kept()));
  page = '{"keys":[]}';
  await until(async () => !(uri in (await kept())));
  page = setOf();
  await until(async () => uri in (await kept()));
  fetcher.forget(uri);
  await until(async () => !(uri in (await kept())));
});

test('what is no set of keys is left out', async () => {
  const good = setOf();
  const data = { 'keys.json': JSON.stringify({ 'http://a': good, 'http://b': '<html>', 'http://c': 5 }) };
  await api.apply(CONFIG_MAP, { metadata: NAME, data } as KubeObject, { fieldManager: 'somebody', force: true });
  const options = { api, namespace: NAME.namespace, logger: silentLogger };
  expect([...(await recallKeys(options)).keys()]).toEqual(['http://a']);
  await api.apply(CONFIG_MAP, { metadata: NAME, data: { 'keys.json': 'no JSON' } } as KubeObject, {
    fieldManager: 'x',
  });
  expect((await recallKeys(options)).size).toBe(0);
});
