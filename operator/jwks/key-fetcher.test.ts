import { generateKeyPairSync } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { NO_KEYS } from '../../api/jwk-set.ts';
import type { RequestAuthentication } from '../../api/request-authentication.ts';
import { silentLogger } from '../../kube/logger.ts';
import { Store } from '../../kube/store.ts';
import { blockList } from '../outward/destination.ts';
import { KeyFetcher } from './key-fetcher.ts';
import { type KeyServer, startKeyServer } from './testing/key-server.ts';
import { fetchWantedKeys } from './wanted-keys.ts';

const key = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid: 'a',
});
const setOf = (...keys: object[]): string => JSON.stringify({ keys });
const [FIRST, SECOND] = [key(), key()];

/** What is at each path. */
let pages: Record<string, string | ((response: ServerResponse) => void)>;
let server: KeyServer;
let fetcher: KeyFetcher;

beforeEach(async () => {
  pages = {};
  server = await startKeyServer(({ url = '' }, response) => {
    const page = pages[url];
    if (typeof page === 'function') page(response);
    else if (page === undefined) response.writeHead(404).end();
    else response.end(page);
  });
  const allowed = blockList(['127.0.0.0/8']);
  fetcher = new KeyFetcher({ allowed, logger: silentLogger, refreshMs: 50, retryMs: 10 });
});
afterEach(async () => {
  fetcher.stop();
  await server.stop();
});

/** Waits for a state of the keys at a path. */
async function until(path: string, holds: (problem: string | undefined, keys: string | undefined) => boolean) {
  const uri = server.url + path;
  for (const end = performance.now() + 10_000; performance.now() < end; ) {
    const { problem, keys } = fetcher.get(uri) ?? {};
    if (fetcher.get(uri) !== undefined && holds(problem, keys)) return { problem, keys };
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`did not come about: ${JSON.stringify(fetcher.get(uri))}`);
}

async function first(path: string, timeoutMs = 5000) {
  fetcher.want(server.url + path, timeoutMs);
  return await until(path, () => true);
}

describe('keys', () => {
  test('are those at their URI, also several of one kid', async () => {
    pages['/keys'] = setOf(FIRST, SECOND, { kty: 'oct', k: 'c2VjcmV0' });
    const { keys, problem } = await first('/keys');
    expect(problem).toBeUndefined();
    expect(JSON.parse(keys ?? '').keys.map(({ kid, x }: typeof FIRST) => [kid, x])).toEqual([
      ['a', FIRST.x],
      ['a', SECOND.x],
    ]);
  });

  test('are where an issuer says that they are', async () => {
    pages['/.well-known/openid-configuration'] = JSON.stringify({ jwks_uri: `${server.url}/keys` });
    pages['/keys'] = setOf(FIRST);
    expect(await first('/.well-known/openid-configuration')).toMatchObject({ problem: undefined });
    pages['/a/.well-known/openid-configuration'] = JSON.stringify({ jwks_uri: 'http://169.254.169.254/' });
    expect(await first('/a/.well-known/openid-configuration')).toMatchObject({ keys: undefined });
    pages['/b/.well-known/openid-configuration'] = setOf(FIRST);
    expect((await first('/b/.well-known/openid-configuration')).problem).toMatch('does not say where the keys are');
  });

  test.each([
    ['nothing', '', 'what is there is no JSON'],
    ['a page of HTML', '<!doctype html><title>Sign in</title>', 'what is there is no JSON'],
    ['something else', '{"keys":{}}', 'what is there is no JWK set: it has no list "keys"'],
  ])('are none where there is %s', async (_, page, problem) => {
    pages['/keys'] = page;
    expect(await first('/keys')).toEqual({ keys: undefined, problem });
  });

  test('are none where there are none that anything can be verified with', async () => {
    pages['/empty'] = setOf();
    pages['/secret'] = setOf({ kty: 'oct', k: 'c2VjcmV0' });
    expect(await first('/empty')).toMatchObject({ keys: NO_KEYS, problem: expect.stringMatching('the set is empty') });
    expect(await first('/secret')).toMatchObject({ keys: NO_KEYS, problem: expect.stringMatching('is a secret') });
  });

  test('are fetched again: new ones take the place of old ones, which stay while there is nothing else', async () => {
    pages['/keys'] = setOf(FIRST);
    const { keys } = await first('/keys');
    pages['/keys'] = '<html>';
    expect(await until('/keys', (problem) => problem !== undefined)).toMatchObject({ keys });
    pages['/keys'] = setOf(SECOND);
    const fresh = await until('/keys', (problem) => problem === undefined);
    expect(fresh.keys).not.toBe(keys);
    pages['/keys'] = setOf();
    expect(await until('/keys', (problem) => problem !== undefined)).toMatchObject({ keys: NO_KEYS });
  });

  test('that hang do not hold up others', async () => {
    for (let index = 0; index < 20; index++) {
      pages[`/hang-${index}`] = () => {};
      fetcher.want(`${server.url}/hang-${index}`, 300);
    }
    pages['/keys'] = setOf(FIRST);
    expect(await first('/keys')).toMatchObject({ problem: undefined });
    expect((await until('/hang-19', () => true)).problem).toBe('it took longer than 300 ms');
  });

  test('that are settled were all asked for once', async () => {
    pages['/keys'] = setOf(FIRST);
    await fetcher.settled(10_000);
    fetcher.want(`${server.url}/keys`, 1000);
    fetcher.want(`${server.url}/gone`, 1000);
    await fetcher.settled(10_000);
    expect([...fetcher.keys()].sort()).toEqual([`${server.url}/gone`, `${server.url}/keys`]);
    pages['/hang'] = () => {};
    fetcher.want(`${server.url}/hang`, 60_000);
    await fetcher.settled(50);
    expect(fetcher.get(`${server.url}/hang`)).toBeUndefined();
  });

  test('change only when they do', async () => {
    pages['/keys'] = setOf(FIRST);
    const changes: (string | undefined)[] = [];
    fetcher.onChange(({ object }) => void changes.push(object?.keys));
    await first('/keys');
    while (server.asked.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(changes).toHaveLength(1);
  });
});

describe('the keys of policies', () => {
  const policy = (name: string, path: string, resourceVersion: string): RequestAuthentication => {
    const metadata = { name, namespace: 'shop', resourceVersion };
    const spec = { jwtRules: [{ issuer: 'me', jwksUri: server.url + path }] };
    return { apiVersion: 'security.istio.io/v1', kind: 'RequestAuthentication', metadata, spec };
  };

  test('are fetched once for all that want them, for as long as one does', async () => {
    pages['/keys'] = setOf(FIRST);
    pages['/other'] = setOf(SECOND);
    fetcher.stop();
    fetcher = new KeyFetcher({ allowed: blockList(['127.0.0.0/8']), logger: silentLogger });
    const store = new Store<RequestAuthentication>();
    store.set(policy('a', '/keys', '1'));
    const switches: ((namespace: string) => void)[] = [];
    const discovered = new Set(['shop']);
    const discovery = {
      has: (namespace: string) => discovered.has(namespace),
      onSwitch: (listener: (namespace: string) => void) => void switches.push(listener),
    };
    fetchWantedKeys(store, discovery, fetcher);
    store.set(policy('b', '/keys', '2'));
    await until('/keys', (problem) => problem === undefined);
    expect(server.asked).toEqual(['/keys']);
    store.set(policy('a', '/other', '3'));
    await until('/other', (problem) => problem === undefined);
    expect([...fetcher.keys()]).toHaveLength(2);
    store.delete('shop/b');
    expect([...fetcher.keys()]).toEqual([`${server.url}/other`]);
    discovered.delete('shop');
    for (const told of switches) told('shop');
    expect([...fetcher.keys()]).toEqual([]);
    discovered.add('shop');
    for (const told of switches) told('shop');
    await until('/other', (problem) => problem === undefined);
    store.delete('shop/a');
    expect([...fetcher.keys()]).toEqual([]);
  });
});
