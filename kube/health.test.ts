import { afterEach, describe, expect, test } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { HealthServer } from './health.ts';

let server: HealthServer | undefined;
afterEach(() => server?.stop());

async function ask(path: string, method = 'GET'): Promise<[number, string]> {
  const problems = ['the first list has not arrived'];
  const registry = new Registry();
  new Counter({ name: 'heddle_test_total', help: 'x', registers: [registry] }).inc(3);
  server = new HealthServer({ port: 0, host: '127.0.0.1', notReady: () => problems, registry });
  const port = await server.start();
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  return [response.status, await response.text()];
}

describe('HealthServer', () => {
  test('is healthy without problems', async () => expect(await ask('/healthz')).toEqual([200, 'ok\n']));
  test('says why it is not ready', async () =>
    expect(await ask('/readyz?verbose')).toEqual([503, 'the first list has not arrived\n']));
  test('serves metrics', async () => expect((await ask('/metrics'))[1]).toContain('heddle_test_total 3'));
  test('knows no other path', async () => expect((await ask('/etc/passwd'))[0]).toBe(404));
  test('takes no other method', async () => expect((await ask('/healthz', 'POST'))[0]).toBe(405));
});
