import { AdsTestbed } from './ads-testbed.ts';
import { quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 100;
/** The one that changes. */
const SERVICE = 7;
const SIZES = [100, 1000];
const WARM_UP = 5;
const CHANGES = 20;

/** One endpoint changes, and every connected proxy must hear of it and acknowledge. */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const proxies of SIZES) {
    results.push(...(await measure(proxies)));
  }
  return results;
}

async function measure(proxies: number): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies });
  try {
    await testbed.connect(proxies);
    for (let round = 1; round <= WARM_UP; round++) {
      await testbed.change('endpoints', SERVICE, round);
    }
    const before = await testbed.measure();
    const latencies: number[] = [];
    for (let round = 1; round <= CHANGES; round++) {
      latencies.push(...(await testbed.change('endpoints', SERVICE, WARM_UP + round)));
    }
    const after = await testbed.measure();
    const bench = `fan-out to ${proxies}`;
    const cpuMs = (after.cpuSeconds - before.cpuSeconds) * 1000;
    const per = (value: number): number => round(value / CHANGES);
    return [
      { bench, figure: 'encodes per change', value: per(after.encoded - before.encoded), unit: '', aim: 1 },
      { bench, figure: 'responses per change', value: per(after.pushes - before.pushes), unit: '' },
      { bench, figure: 'CPU per change', value: round(cpuMs / 1000 / CHANGES), unit: 's' },
      { bench, figure: 'CPU per proxy per push', value: round(cpuMs / CHANGES / proxies), unit: 'ms', aim: 1 },
      { bench, figure: 'bytes per change', value: per(after.bytes - before.bytes), unit: 'B' },
      { bench, figure: 'change to ACK, p50', value: round(quantile(latencies, 0.5)), unit: 'ms' },
      { bench, figure: 'change to ACK, p99', value: round(quantile(latencies, 0.99)), unit: 'ms' },
      { bench, figure: 'longest turn of the event loop (CPU)', value: round(after.longestTurnMs), unit: 'ms' },
    ];
  } finally {
    await testbed.stop();
  }
}
