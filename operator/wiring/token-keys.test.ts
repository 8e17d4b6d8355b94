import { generateKeyPairSync } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import { KeyFetcher } from '../jwks/key-fetcher.ts';
import { type KeyServer, startKeyServer } from '../jwks/testing/key-server.ts';
import { fetchWantedKeys } from '../jwks/wanted-keys.ts';
import { pod, requestAuthentication, SETTINGS } from '../mesh/testing/objects.ts';
import { blockList } from '../outward/destination.ts';
import { XdsCache } from '../xds/xds-cache.ts';
import { Pipeline } from './pipeline.ts';
import { newMeshStores } from './testing/mesh-stores.ts';

let server: KeyServer;
let fetcher: KeyFetcher;
afterEach(async () => {
  fetcher.stop();
  await server.stop();
});

test('keys of a policy are fetched before the mesh is made, and later ones reach it, also where namespaces are selected', async () => {
  const jwk = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const pages = new Map(['/a', '/b'].map((path) => [path, { keys: [jwk()] }]));
  server = await startKeyServer(({ url = '' }, response) => void response.end(JSON.stringify(pages.get(url))));
  fetcher = new KeyFetcher({ allowed: blockList(['127.0.0.0/8']), logger: silentLogger });
  const stores = newMeshStores('discoverySelectors: [{ matchLabels: { mesh: here } }]');
  for (const name of ['shop', 'other']) {
    stores.namespaces.set({ metadata: { name, labels: name === 'shop' ? { mesh: 'here' } : {} } });
  }
  stores.pods.set(pod('p'));
  const policy = (name: string, path: string) =>
    requestAuthentication(name, { jwtRules: [{ issuer: 'me', jwksUri: server.url + path }] });
  stores.requestAuthentications.set(policy('shop/a', '/a'));
  stores.requestAuthentications.set(policy('other/c', '/c'));
  const pipeline = new Pipeline(SETTINGS, new XdsCache(), silentLogger, (error) => Promise.reject(error));
  fetchWantedKeys(stores.requestAuthentications, stores.discovery, fetcher);
  await fetcher.settled(10_000);
  pipeline.start({ ...stores, jwks: fetcher });
  const held = () => {
    const tokens = pipeline.snapshot.workloads.get('uid-p')?.tokens ?? [];
    return tokens.flatMap(({ keys }) => keys.map(({ text }) => JSON.parse(text).keys[0].x));
  };
  expect(held()).toEqual([pages.get('/a')?.keys[0]?.x]);
  stores.requestAuthentications.set(policy('shop/b', '/b'));
  const both = ['/a', '/b'].map((path) => pages.get(path)?.keys[0]?.x);
  for (const end = performance.now() + 10_000; performance.now() < end && held()[1] !== both[1]; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(held()).toEqual(both);
  expect([...server.asked].sort()).toEqual(['/a', '/b']);
});
