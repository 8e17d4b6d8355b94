import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../hack/mesh/wait.ts';
import { MAX_OF_ALL_CALLERS } from '../../proxy/caller-bounds.ts';
import { HEALTH_PORT, METRICS_PORT, PROBE_PORT } from '../../proxy/ports.ts';
import { SHOP } from '../../proxy/testing/own-workload.ts';
import { type BootstrappedEnvoy, startBootstrapped } from './support/bootstrapped-envoy.ts';
import { type Answer, call } from './support/http-call.ts';
import { find, readPage } from './support/prometheus-page.ts';

/** Connections that nobody who is meant to ask would make, to the plaintext ports of a real sidecar. How many one address may make the kernel says. */

const KUBELET = '127.0.4.1';
let sidecar: BootstrappedEnvoy;

beforeAll(async () => {
  sidecar = await startBootstrapped({ own: SHOP, clusterDomain: 'cluster.local', probes: {}, ipv6: false });
  await waitFor('a sidecar that is ready', async () => ((await probe()).status === 200 ? true : undefined));
}, 60_000);
afterAll(() => sidecar?.stop());

const get = (port: number, path: string): Promise<Answer> =>
  call({ port: sidecar.at(port), path, localAddress: KUBELET, agent: false });
const probe = (): Promise<Answer> => get(HEALTH_PORT, '/healthz/ready');

/** Connections from many addresses that say nothing. */
async function hold(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, (_, nth) =>
    connect({ port: sidecar.at(port), host: '127.0.0.1', localAddress: `127.0.5.${1 + (nth % 200)}` }),
  );
  await Promise.all(sockets.map((socket) => once(socket.on('error', () => {}).resume(), 'connect')));
  return sockets;
}

const open = (sockets: readonly Socket[]): number => sockets.filter((socket) => !socket.closed).length;

test.each([
  ['health', HEALTH_PORT, '/healthz/ready', [PROBE_PORT, METRICS_PORT]],
  ['probes', PROBE_PORT, '/stats/prometheus', [HEALTH_PORT, METRICS_PORT]],
  ['metrics', METRICS_PORT, '/stats/prometheus', [PROBE_PORT, HEALTH_PORT]],
])(
  'the port of %s holds so many connections, and is free again soon after they were left',
  async (name, port, path, others) => {
    const begin = performance.now();
    const sockets = await hold(port, MAX_OF_ALL_CALLERS + 50);
    const isBounded = async () => (open(sockets) <= MAX_OF_ALL_CALLERS ? true : undefined);
    await waitFor('those over the bound are closed', isBounded, { timeoutMs: 10_000 });
    // The merged page may keep one to the other, which is one of these.
    expect(open(sockets)).toBeGreaterThanOrEqual(MAX_OF_ALL_CALLERS - 1);
    await expect(get(port, path)).rejects.toThrow(/ECONNRESET|socket hang up/);
    for (const other of others) expect((await get(other, '/')).status).toBe(404);
    // None of them says anything more.
    const answer = await waitFor('an answer', () => get(port, path).catch(() => undefined), { timeoutMs: 15_000 });
    expect(answer.status).toBe(200);
    // Less than the time that kubelet gives three probes in a row, and that a Prometheus waits for its page.
    expect(performance.now() - begin).toBeLessThan(20_000);
    expect(Number(await refused(`heddle-${name}`))).toBeGreaterThanOrEqual(51);
    for (const socket of sockets) socket.destroy();
  },
  60_000,
);

/** How many connections the sidecar says that it closed for this. */
async function refused(listener: string): Promise<number | undefined> {
  const page = await waitFor('a page', async () => {
    const { status, body } = await get(METRICS_PORT, '/stats/prometheus');
    return status === 200 ? body : undefined;
  });
  const name = 'envoy_connection_limit_limited_connections';
  return find(readPage(page), name, { envoy_connection_limit_prefix: listener })[0]?.value;
}
