import { Agent } from 'node:http';
import { virtualService } from '../../operator/mesh/testing/objects.ts';
import { startCountingBackend } from '../feature/support/counting-backend.ts';
import { freePort } from '../feature/support/free-port.ts';
import { call } from '../feature/support/http-call.ts';
import { addressOf, backedService, type Loading, SidecarOnStream } from '../feature/support/sidecar-on-stream.ts';
import { quantile, round } from './figures.ts';
import { residentSet } from './process-cost.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 10_000;
/** Hosts that the pod uses while memory is looked at. */
const USED = 10;
/** Hosts that are called for the first time, one after the other. */
const FIRST = 300;
const ADDRESS = addressOf(1);

/** A real Envoy in a mesh of 10,000 Services, each with a VirtualService: its memory, and what the first request to a host costs. */
export async function run(): Promise<BenchResult[]> {
  return [...(await measure('on-demand')), ...(await measure('eager'))];
}

async function measure(loading: Loading): Promise<BenchResult[]> {
  const backend = await startCountingBackend();
  const port = await freePort();
  const sidecar = new SidecarOnStream({ loading, ports: [port], outboundPolicy: 'REGISTRY_ONLY' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (number: number): Promise<number> => {
    const begun = performance.now();
    const { status } = await call({ host: ADDRESS, port, headers: { host: `app-${number}` }, agent });
    if (status !== 200) throw new Error(`app-${number} answered ${status}`);
    return performance.now() - begun;
  };
  const askAll = async (from: number, count: number): Promise<number[]> => {
    const times: number[] = [];
    for (let number = from; number < from + count; number++) times.push(await ask(number));
    return times;
  };
  try {
    await sidecar.start(
      Array.from({ length: SERVICES }, (_, number) => [
        ...backedService(`app-${number}`, number + 1, { name: 'http', port, backend: backend.port }),
        {
          kind: 'VirtualService' as const,
          object: virtualService(`shop/app-${number}`, {
            hosts: [`app-${number}`],
            http: [{ timeout: '5s', route: [{ destination: { host: `app-${number}` } }] }],
          }),
        },
      ]).flat(),
    );
    await askAll(0, USED);
    const resident = await residentSet(sidecar.envoy.pid);
    const first = await askAll(USED, FIRST);
    const later = await askAll(USED, FIRST);
    const bench = `Envoy, ${USED} used of ${SERVICES} services, ${loading}`;
    const aims = loading === 'on-demand' ? { resident: { aim: 75 }, first: { aim: 10 } } : {};
    return [
      { bench, figure: 'resident set', value: round(resident / 1e6), unit: 'MB', ...aims.resident },
      { bench, figure: 'first request to a host, p50', value: round(quantile(first, 0.5)), unit: 'ms', ...aims.first },
      { bench, figure: 'first request to a host, p99', value: round(quantile(first, 0.99)), unit: 'ms' },
      { bench, figure: 'later requests, p50', value: round(quantile(later, 0.5)), unit: 'ms' },
      { bench, figure: 'later requests, p99', value: round(quantile(later, 0.99)), unit: 'ms' },
    ];
  } finally {
    agent.destroy();
    await sidecar.stop();
    await backend.close();
  }
}
