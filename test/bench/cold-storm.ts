import { AdsTestbed } from './ads-testbed.ts';
import { quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 100;
const PROXIES = 500;

/** All proxies come at once to a control plane that has just started: TLS, and everything they need to serve. */
export async function run(): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES });
  try {
    const before = await testbed.measure();
    const times = await testbed.connect(PROXIES);
    const after = await testbed.measure();
    const bench = `cold storm of ${PROXIES}`;
    const cpu = after.cpuSeconds - before.cpuSeconds;
    return [
      { bench, figure: 'until the median proxy has everything', value: round(quantile(times, 0.5) / 1000), unit: 's' },
      { bench, figure: 'until the last proxy has everything', value: round(Math.max(...times) / 1000), unit: 's' },
      { bench, figure: 'CPU', value: round(cpu), unit: 's' },
      { bench, figure: 'CPU per proxy', value: round((cpu * 1000) / PROXIES), unit: 'ms' },
      { bench, figure: 'bytes', value: round(after.bytes - before.bytes), unit: 'B' },
      { bench, figure: 'encodes', value: after.encoded - before.encoded, unit: '' },
      { bench, figure: 'longest turn of the event loop (CPU)', value: round(after.longestTurnMs), unit: 'ms' },
    ];
  } finally {
    await testbed.stop();
  }
}
