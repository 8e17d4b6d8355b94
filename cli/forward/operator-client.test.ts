import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { V1Pod } from '@kubernetes/client-node';
import { KubeError } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';
import { OperatorClient, type Reach } from './operator-client.ts';
import { PodHttp } from './pod-http.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const pod = (name: string, ready = true, phase = 'Running'): V1Pod => ({
  metadata: { name },
  status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

/** Replicas that answer with their name, by it; and a client that reaches those of the given pods. */
async function replicas(pods: readonly V1Pod[], names: readonly string[]) {
  const servers = new Map<string, Server>();
  for (const name of names) {
    const server = createServer((request, response) => {
      if (request.url === '/never') return;
      if (request.url === '/bad') response.writeHead(400).end('{"error":"no such thing"}');
      else response.end(JSON.stringify(name));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.set(name, server);
    closing.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
  }
  const asked: string[] = [];
  const httpTo = (name: string): PodHttp => {
    asked.push(name);
    const address = servers.get(name)?.address() as AddressInfo | null | undefined;
    const open = () => (address ? Promise.resolve(connect(address.port, '127.0.0.1')) : Promise.reject(gone(name)));
    return new PodHttp(open, `the operator (${name})`);
  };
  const api = { list: () => Promise.resolve({ items: pods, resourceVersion: '' }) };
  const client = new OperatorClient({ api } as unknown as Reach, httpTo);
  closing.push(() => client.close());
  return { client, asked, servers };
}
const gone = (name: string) => new CliError(`port 15016 of pod ${name} does not answer`, undefined, 3);

test('a replica that is ready is asked first, and then always', async () => {
  const { client, asked } = await replicas([pod('a', false), pod('b'), pod('c')], ['a', 'b', 'c']);
  expect([await client.get('/x'), await client.get('/x')]).toEqual(['b', 'b']);
  expect(asked).toEqual(['b']);
});

test('when one goes another is asked', async () => {
  const { client, servers } = await replicas([pod('a'), pod('b')], ['a', 'b']);
  expect(await client.get('/x')).toBe('a');
  servers.get('a')?.closeAllConnections();
  servers.get('a')?.close();
  expect(await client.get('/x')).toBe('b');
});

test('an answer that is no is an answer: no other is asked', async () => {
  const { client, asked } = await replicas([pod('a'), pod('b')], ['a', 'b']);
  await expect(client.get('/bad')).rejects.toMatchObject({
    message: 'the operator (a) answers 400: no such thing',
    code: 1,
  });
  expect(asked).toEqual(['a']);
});

test('who waits no longer is let go, and no other is asked', async () => {
  const { client, asked } = await replicas([pod('a'), pod('b')], ['a', 'b']);
  await expect(client.get('/never', AbortSignal.timeout(50))).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(asked).toEqual(['a']);
  expect(await client.get('/x')).toBe('a');
  await expect(client.get('/never', AbortSignal.timeout(50))).rejects.toThrow();
  expect(asked).toEqual(['a', 'a']);
});

test.each([
  [[], 'no pod of the operator runs in namespace heddle-system'],
  [[pod('a', false, 'Pending')], 'no pod of the operator runs in namespace heddle-system'],
  [[pod('a')], 'the operator does not answer (port 15016 of pod a does not answer)'],
])('without one that answers that is said, with code 3 (%#)', async (pods, message) => {
  const { client } = await replicas(pods, []);
  await expect(client.get('/x')).rejects.toMatchObject({ message, code: 3, next: expect.stringContaining('kubectl') });
});

test('who may not is told so, and not that nobody answers', async () => {
  const refused = new KubeError(403, 'Forbidden', 'you may not');
  const api = { list: () => Promise.resolve({ items: [pod('a')], resourceVersion: '' }) };
  const httpTo = () => new PodHttp(() => Promise.reject(refused), 'the operator');
  const client = new OperatorClient({ api } as unknown as Reach, httpTo);
  await expect(client.get('/x')).rejects.toBe(refused);
});
