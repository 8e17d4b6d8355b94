import { startCountingBackend } from '../feature/support/counting-backend.ts';
import { freePort } from '../feature/support/free-port.ts';
import { sendPaced } from '../feature/support/paced-load.ts';
import { addressOf, backedService, SidecarOnStream } from '../feature/support/sidecar-on-stream.ts';
import { round } from './figures.ts';
import { heap } from './heap.ts';
import { cpuSeconds, residentSet } from './process-cost.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 1000;
const PER_SECOND = 10_000;
const SECONDS = 60;
/** So many come before it is measured: what is loaded once is there then. */
const WARM_UP = 20_000;
const REFUSED = '502';

/** A real Envoy on demand gets requests for hosts that nobody knows, each for another: what a host costs whom, and what stays of all of them. */
export async function run(): Promise<BenchResult[]> {
  const backend = await startCountingBackend();
  const port = await freePort();
  const sidecar = new SidecarOnStream({ loading: 'on-demand', ports: [port], outboundPolicy: 'REGISTRY_ONLY' });
  const scan = (domain: string, count: number) =>
    sendPaced(addressOf(1), port, { domain, count, perSecond: PER_SECOND, hangMs: 60_000 });
  const spent = async () => ({ envoy: await cpuSeconds(sidecar.envoy.pid), operator: process.cpuUsage() });
  // To collect the heap is CPU, too.
  const kept = async () => ({ envoy: await residentSet(sidecar.envoy.pid), operator: heap() });
  try {
    await sidecar.start(
      Array.from({ length: SERVICES }, (_, number) =>
        backedService(`app-${number}`, number + 1, { name: 'http', port, backend: backend.port }),
      ).flat(),
    );
    await scan('first.example.com', WARM_UP);
    const count = PER_SECOND * SECONDS;
    const [memory, begun] = [await kept(), await spent()];
    const { statuses, ms, cpuMs } = await scan('example.com', count);
    const [ended, left] = [await spent(), await kept()];
    const { user, system } = ended.operator;
    const operator = user + system - begun.operator.user - begun.operator.system;
    const refused = new Map(statuses).get(REFUSED) ?? 0;
    const bench = `${count} unknown hosts in ${SECONDS} s`;
    const microseconds = (seconds: number): number => round((seconds / count) * 1e6);
    const mebibytes = (bytes: number): number => round(bytes / 2 ** 20);
    return [
      { bench, figure: 'hosts a second', value: round((count / ms) * 1000), unit: '' },
      { bench, figure: `not answered ${REFUSED}`, value: count - refused, unit: '', aim: 0 },
      { bench, figure: "Envoy's CPU for a host", value: microseconds(ended.envoy - begun.envoy), unit: 'µs' },
      { bench, figure: "operator's CPU for a host", value: microseconds(operator / 1e6), unit: 'µs' },
      { bench, figure: "sender's CPU for a host", value: microseconds(cpuMs / 1000), unit: 'µs' },
      { bench, figure: "Envoy's resident set grew by", value: mebibytes(left.envoy - memory.envoy), unit: 'MiB' },
      { bench, figure: "operator's heap grew by", value: mebibytes(left.operator - memory.operator), unit: 'MiB' },
    ];
  } finally {
    await sidecar.stop();
    await backend.close();
  }
}
