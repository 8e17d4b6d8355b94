import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { silentLogger } from '../../kube/logger.ts';
import type { EventStreamSettings } from './event-stream.ts';
import { readPage } from './page-files.ts';
import { type DashboardOptions, DashboardServer } from './server.ts';
import type { Changed, ViewSource } from './view-source.ts';

const servers: DashboardServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** A source that answers with what it was asked, and a way to say that something changed. */
function echoSource(more: Partial<ViewSource> = {}) {
  const listeners = new Set<(what: Changed) => void>();
  const echo = (name: string) => async (selection?: object) => ({ name, ...selection }) as never;
  const source: ViewSource = {
    graph: echo('graph'),
    series: echo('series'),
    controlPlane: echo('control-plane'),
    proxies: echo('proxies'),
    policies: echo('policies'),
    refusals: echo('refusals'),
    canaries: echo('canaries'),
    onChanged: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ...more,
  };
  const tell = (what: Changed) => {
    for (const listener of listeners) listener(what);
  };
  return { source, tell, listeners };
}

async function serve(source: ViewSource, more: Partial<DashboardOptions> = {}) {
  const page = await readPage(path.join(import.meta.dirname, 'page'));
  const server = new DashboardServer({ source, page, logger: silentLogger, ...more });
  servers.push(server);
  return { server, port: await server.start(0) };
}

interface Got {
  readonly code: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function get(port: number, target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request({ port, path: target, method, host: '127.0.0.1', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode: code = 0, headers: got } = response;
        resolve({ code, headers: got, body: Buffer.concat(chunks).toString() });
      });
    });
    call.on('error', reject);
    call.end();
  });
}

describe('the dashboard server', () => {
  test('answers what is asked, with what the question names', async () => {
    const { port } = await serve(echoSource().source);
    const { code, headers, body } = await get(port, '/api/graph?seconds=300&namespace=shop');
    expect([code, JSON.parse(body)]).toEqual([200, { name: 'graph', seconds: 300, namespace: 'shop' }]);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'cache-control': 'no-store',
    });
    expect(JSON.parse((await get(port, '/api/graph')).body)).toEqual({ name: 'graph', seconds: 60 });
    expect(JSON.parse((await get(port, '/api/series?edge=shop/ui%3Eshop/ordering&points=12')).body)).toEqual({
      name: 'series',
      of: 'edge',
      id: 'shop/ui>shop/ordering',
      seconds: 3600,
      points: 12,
    });
    for (const name of ['control-plane', 'proxies', 'policies', 'refusals', 'canaries']) {
      expect(JSON.parse((await get(port, `/api/${name}`)).body)).toMatchObject({ name });
    }
  });

  test('says what is wrong with a question', async () => {
    const { port } = await serve(echoSource().source);
    const problem = async (target: string) => {
      const { code, body } = await get(port, target);
      return `${code} ${(JSON.parse(body) as { error: string }).error}`;
    };
    expect(await problem('/api/graph?seconds=-1')).toBe('400 seconds must be a whole number from 1 to 86400');
    expect(await problem('/api/graph?namespace=%3Cscript%3E')).toBe('400 namespace must be the name of a namespace');
    expect(await problem('/api/graph?seconds=1&seconds=2')).toBe('400 seconds may be there once');
    expect(await problem('/api/series')).toMatch(/^400 name one node or one edge/);
    expect(await problem('/nothing')).toMatch(/^404 there is nothing here/);
    expect(await problem('/..%2f..%2fetc/passwd')).toMatch(/^404 /);
    expect(await problem('/../../server.ts')).toMatch(/^404 /);
  });

  test('answers nobody who came by another name, from another origin, or to change something', async () => {
    const { port } = await serve(echoSource().source);
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1', 'evil.example:15016', 'localhost:1:2']) {
      expect((await get(port, '/api/graph', { host })).code).toBe(403);
    }
    for (const host of [`localhost:${port}`, '127.0.0.1', '[::1]:15016']) {
      expect((await get(port, '/api/graph', { host })).code).toBe(200);
    }
    expect((await get(port, '/api/graph', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).code).toBe(
      403,
    );
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      const { code, headers } = await get(port, '/api/graph', {}, method);
      expect([method, code, headers.allow]).toEqual([method, 405, 'GET']);
    }
    expect((await get(port, '/api/graph', { 'content-length': '10' })).code).toBe(413);
  });

  test('serves the page with a hash, and says when it is unchanged', async () => {
    const { port } = await serve(echoSource().source);
    const { code, headers, body } = await get(port, '/');
    expect([code, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).toContain('<title>');
    const again = await get(port, '/index.html', { 'if-none-match': String(headers.etag) });
    expect([again.code, again.body]).toEqual([304, '']);
  });

  test('answers so many at a time, and says so to the others', async () => {
    let release: (() => void) | undefined;
    const waits = new Promise<void>((resolve) => {
      release = resolve;
    });
    const graph = () => waits.then(() => ({ name: 'graph' }) as never);
    const { port } = await serve(echoSource({ graph }).source, { concurrency: 2 });
    const first = [get(port, '/api/graph'), get(port, '/api/graph')];
    let refused: Got;
    // Until both are being answered, the third may be one of the two.
    do refused = await Promise.race([get(port, '/api/proxies'), ...first]);
    while (refused.code === 200);
    expect(refused.code).toBe(503);
    release?.();
    expect((await Promise.all(first)).map(({ code }) => code)).toEqual([200, 200]);
    expect((await get(port, '/api/graph')).code).toBe(200);
  });

  test('tells no more of an error than that there was one', async () => {
    const graph = () => Promise.reject(new Error('secret inside'));
    const { port } = await serve(echoSource({ graph }).source);
    const { code, body } = await get(port, '/api/graph');
    expect([code, body]).toEqual([500, '{"error":"the operator could not answer; its log has more"}']);
  });
});

describe('events', () => {
  const quick: Partial<EventStreamSettings> = { graphMs: 10, coalesceMs: 1 };

  test('tell of the graph again and again, and of what changed', async () => {
    const { source, tell, listeners } = echoSource();
    const { port, server } = await serve(source, { events: quick });
    const seen = await new Promise<string>((resolve, reject) => {
      const call = request({ port, path: '/api/events', host: '127.0.0.1', agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text.split('event: graph').length > 2 && !text.includes('event: changed')) tell('policies');
          if (!text.includes('event: changed')) return;
          call.destroy();
          resolve(text);
        });
        response.on('error', () => {});
      });
      call.on('error', reject);
      call.end();
    });
    expect(seen).toContain('event: graph\ndata: {"name":"graph","seconds":60}\n\n');
    expect(seen).toContain('event: changed\ndata: policies\n\n');
    while (server.streams > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(listeners.size).toBe(0);
  });

  test('let a client go that never reads, and keep the others', async () => {
    const graph = async () => ({ much: 'x'.repeat(200_000) }) as never;
    const { port, server } = await serve(echoSource({ graph }).source, { events: { ...quick, mostUnread: 1 << 20 } });
    const deaf = connect(port, '127.0.0.1');
    deaf.on('error', () => {});
    deaf.pause();
    deaf.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const reads = connect(port, '127.0.0.1');
    reads.resume();
    reads.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (server.streams < 2) await new Promise((resolve) => setImmediate(resolve));
    while (server.streams > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const [chunk] = (await once(reads, 'data')) as [Buffer];
    expect(chunk.length).toBeGreaterThan(0);
    deaf.destroy();
    reads.destroy();
  });

  test('are for so many clients at a time', async () => {
    const { port, server } = await serve(echoSource().source, { events: { ...quick, most: 1 } });
    const first = connect(port, '127.0.0.1');
    first.write('GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (server.streams < 1) await new Promise((resolve) => setImmediate(resolve));
    expect((await get(port, '/api/events')).code).toBe(503);
    first.destroy();
  });
});
