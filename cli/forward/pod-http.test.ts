import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { PodHttp } from './pod-http.ts';
import { Tunnel } from './tunnel.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** An HTTP server, and a client of it that counts its connections. */
async function serve(listener: RequestListener): Promise<{ http: PodHttp; opened: () => number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let opened = 0;
  const { port } = server.address() as AddressInfo;
  const open = () => {
    opened++;
    return Promise.resolve(connect(port, '127.0.0.1'));
  };
  const http = new PodHttp(open, 'the sidecar of shop/ui-1');
  closing.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => server.closeAllConnections(),
    () => http.close(),
  );
  return { http, opened: () => opened };
}

test('requests that follow each other share a connection, and name localhost', async () => {
  const { http, opened } = await serve((request, response) => response.end(JSON.stringify(request.headers.host)));
  expect(await http.json('/a')).toBe('localhost');
  expect(await http.json('/b')).toBe('localhost');
  expect(opened()).toBe(1);
});

test('a body is posted, and the answer comes as a stream', async () => {
  const { http } = await serve((request, response) => request.pipe(response));
  const stream = await http.stream({ method: 'POST', path: '/', body: 'hello' });
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk;
  expect(text).toBe('hello');
});

test.each([
  ['{"error":"no such namespace"}', 'the sidecar of shop/ui-1 answers 404: no such namespace'],
  ['gone\n', 'the sidecar of shop/ui-1 answers 404: gone'],
])('an answer that is no success is told in its own words: %s', async (body, message) => {
  const { http } = await serve((_, response) => response.writeHead(404).end(body));
  await expect(http.text({ path: '/x' })).rejects.toMatchObject({ name: 'CliError', message, code: 1 });
  await expect(http.stream({ path: '/x' })).rejects.toMatchObject({ message });
});

test('a connection that broke before it was used is an error, and not waited for', async () => {
  const open = () => {
    const broken = new PassThrough().on('error', () => undefined);
    broken.destroy(new Error('nothing listens there'));
    return Promise.resolve(broken);
  };
  const http = new PodHttp(open, 'the sidecar of shop/ui-1');
  closing.push(() => http.close());
  await expect(http.text({ path: '/x' })).rejects.toThrow('nothing listens there');
});

test('what is no JSON is said to be none', async () => {
  const { http } = await serve((_, response) => response.end('<html>'));
  await expect(http.json('/x')).rejects.toThrow('answers /x with what is no JSON: <html>');
});

test('an answer that does not come, or stops midway, is waited for so long', async () => {
  const { http } = await serve((request, response) => {
    if (request.url === '/half') response.write('half');
  });
  for (const path of ['/never', '/half']) {
    await expect(http.text({ path, timeoutMs: 50 })).rejects.toMatchObject({
      message: `the sidecar of shop/ui-1 has not answered ${path} in 0.05 s`,
      code: 3,
    });
  }
});

test('a connection that is not opened is waited for so long, and let go when it comes after the end', async () => {
  let arrive: (connection: PassThrough) => void = () => undefined;
  const http = new PodHttp(() => new Promise((resolve) => (arrive = resolve)), 'the sidecar of shop/ui-1');
  await expect(http.text({ path: '/x', timeoutMs: 50 })).rejects.toMatchObject({ code: 3 });
  http.close();
  const late = new PassThrough();
  const closed = once(late, 'close');
  arrive(late);
  await closed;
  expect(late.destroyed).toBe(true);
});

test('a tunnel that the pod has closed is not used again', async () => {
  const tunnels: Tunnel[] = [];
  const open = (): Promise<Tunnel> => {
    const tunnel = new Tunnel({ namespace: 'shop', pod: 'ui-1', port: 15000 });
    tunnels.push(tunnel);
    tunnel.outgoing.once('data', () =>
      tunnel.incoming.write(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${tunnels.length}`)),
    );
    return Promise.resolve(tunnel);
  };
  const http = new PodHttp(open, 'the sidecar of shop/ui-1');
  closing.push(() => http.close());
  expect(await http.json('/a')).toBe(1);
  tunnels[0]?.ended();
  await setImmediate();
  expect(await http.json('/b')).toBe(2);
});
