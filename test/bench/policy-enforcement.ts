import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { type EnvoyProcess, startEnvoy } from '../feature/support/envoy-process.ts';
import { freePort } from '../feature/support/free-port.ts';
import { Http1Line } from '../feature/support/mesh-callers.ts';
import { AdsTestbed } from './ads-testbed.ts';
import { deniedPath } from './bench-mesh.ts';
import { differences, quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 100;
const PROXIES = 500;
const BENCH = `policy change at ${PROXIES} streams`;
const WARM_UP = 3;
const ROUNDS = 20;
/** Where the application of the real proxy listens. */
const [APPLICATION, PORT] = ['127.0.0.77', 8080];

/**
 * An AuthorizationPolicy about 500 pods changes: until the last proxy has acknowledged what comes of it, and until a request to one that is a real
 * Envoy is denied.
 */
export async function run(): Promise<BenchResult[]> {
  const inboundAt = await freePort();
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES + 1, inboundAt });
  const application = createServer((_, response) => response.end('ok'));
  let envoy: EnvoyProcess | undefined;
  try {
    application.listen(PORT, APPLICATION);
    await once(application, 'listening');
    await testbed.connectInWaves(PROXIES);
    const { port: adsPort, certificate } = testbed.ready;
    // The token of a proxy is its number.
    envoy = await startEnvoy({
      nodeId: 'sidecar~10.0.0.1~real.shop~x',
      token: `${PROXIES}`,
      adsPort,
      rootPem: certificate.rootPem,
    });
    await untilStatus(inboundAt, deniedPath(0), 200);
    for (let nth = 1; nth <= WARM_UP; nth++) await change(testbed, inboundAt, nth);
    const before = await testbed.measure();
    const rounds: Round[] = [];
    for (let nth = 1; nth <= ROUNDS; nth++) rounds.push(await change(testbed, inboundAt, WARM_UP + nth));
    const after = await testbed.measure();
    return [...differences(BENCH, before, after, ROUNDS), ...moments(rounds)];
  } finally {
    await envoy?.stop();
    await stop(application);
    await testbed.stop();
  }
}

/** Since the change, in ms. */
interface Round {
  readonly acknowledged: readonly number[];
  readonly denied: number;
}

async function change(testbed: AdsTestbed, at: number, nth: number): Promise<Round> {
  // It asks again and again from before the change on.
  const denied = untilStatus(at, deniedPath(nth), 403);
  const acknowledged = await testbed.change('authorizationPolicy', 7, nth);
  return { acknowledged, denied: (await denied) - testbed.changedAt };
}

/** Asks on a connection of its own each time, one after the other. @returns the moment of the answer, in ms since the epoch */
async function untilStatus(at: number, path: string, wanted: number): Promise<number> {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const socket = connect(at, '127.0.0.1').on('error', () => {});
    socket.write(`PROXY TCP4 127.0.0.1 ${APPLICATION} 40000 ${PORT}\r\n`);
    const line = new Http1Line(socket);
    const { status } = await line.send(`GET ${path} HTTP/1.1\r\nhost: app\r\n\r\n`);
    line.close();
    if (status === wanted) return performance.timeOrigin + performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`${path} was never answered ${wanted}`);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

function moments(rounds: readonly Round[]): BenchResult[] {
  const all = rounds.flatMap(({ acknowledged }) => acknowledged);
  const last = rounds.map(({ acknowledged }) => Math.max(...acknowledged));
  const denied = rounds.map((one) => one.denied);
  const figure = (name: string, value: number): BenchResult => {
    return { bench: BENCH, figure: name, value: round(value), unit: 'ms' };
  };
  return [
    figure('change to ACK, p50', quantile(all, 0.5)),
    figure('change to ACK, p99', quantile(all, 0.99)),
    figure('change to the last ACK, p50', quantile(last, 0.5)),
    figure('change to the last ACK, worst', Math.max(...last)),
    figure('change to the first 403 of a real Envoy, p50', quantile(denied, 0.5)),
    figure('change to the first 403 of a real Envoy, worst', Math.max(...denied)),
  ];
}
