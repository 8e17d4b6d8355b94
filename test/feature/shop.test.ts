import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { freePort } from './support/free-port.ts';

const main = join(import.meta.dirname, '../../config/samples/shop/app/main.ts');
const running: ChildProcess[] = [];

// Six processes start on what may be a busy machine.
jest.setTimeout(30_000);

/** Starts one service of the shop and gives its URL once it listens. */
async function start(env: Readonly<Record<string, string>>): Promise<{ url: string; process: ChildProcess }> {
  const port = await freePort();
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  await once(child.stdout, 'data');
  return { url: `http://127.0.0.1:${port}`, process: child };
}

describe('the sample shop', () => {
  let ui: { url: string; process: ChildProcess };
  let load: { url: string; process: ChildProcess };

  beforeAll(async () => {
    const inventory = await start({ ROLE: 'inventory' });
    const ordering = await start({ ROLE: 'ordering', VERSION: 'v2', NEXT: inventory.url });
    ui = await start({ ROLE: 'ui', NEXT: ordering.url });
    load = await start({ ROLE: 'load', NEXT: ui.url, RATE: '50' });
  });

  afterAll(() => {
    for (const child of running) child.kill('SIGKILL');
  });

  test.each([
    ['GET', 200],
    ['POST', 201],
  ])('answers a %s with %d and with every service it went through', async (method, status) => {
    const response = await fetch(`${ui.url}/orders`, { method, ...(method === 'POST' ? { body: '{}' } : {}) });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      service: 'ui',
      chain: [{ service: 'ui' }, { service: 'ordering', version: 'v2' }, { service: 'inventory' }],
    });
  });

  test('fails as often as it is told, and says which service did', async () => {
    const bad = await start({ ROLE: 'ordering', VERSION: 'v3', ERROR_RATE: '1' });
    const front = await start({ ROLE: 'ui', NEXT: bad.url });
    const response = await fetch(`${front.url}/orders`);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ chain: [{ service: 'ui' }, { service: 'ordering', version: 'v3' }] });
  });

  test('counts what came of each request, by version', async () => {
    const read = async () => (await (await fetch(`${load.url}/counts`)).json()) as { ok: number; failed: number };
    while ((await read()).ok < 20) await new Promise((resolve) => setTimeout(resolve, 50));
    const counts = await read();
    expect(counts).toMatchObject({ failed: 0, outcomes: { 200: expect.any(Number), 201: expect.any(Number) } });
    expect(counts).toMatchObject({ services: { ordering: { v2: { ok: counts.ok, failed: 0 } } } });
  });

  test('changes the rate of the load when asked', async () => {
    const response = await fetch(`${load.url}/rate?value=1`, { method: 'POST' });
    expect(await response.json()).toEqual({ rate: 1 });
    expect((await fetch(`${load.url}/rate?value=-1`, { method: 'POST' })).status).toBe(400);
  });

  test('after SIGTERM still answers for a while, not ready, then ends by itself', async () => {
    const service = await start({ ROLE: 'inventory', DRAIN_SECONDS: '4' });
    const ended = once(service.process, 'exit');
    service.process.kill('SIGTERM');
    const deadline = performance.now() + 3000;
    let status = 200;
    while (status === 200 && performance.now() < deadline) status = (await fetch(`${service.url}/readyz`)).status;
    expect(status).toBe(503);
    const response = await fetch(`${service.url}/stock`);
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    expect((await ended)[0]).toBe(0);
  });
});
