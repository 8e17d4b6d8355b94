import { AdsTestbed } from './ads-testbed.ts';
import { differences, quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';
import { usedClusters } from './uses.ts';

const SERVICES = 1000;
const PROXIES = 2000;
const USED = 10;

/** All proxies lose their streams and come back at once, and nothing has changed: each says what it holds, and is heard out. */
export async function run(): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES, traffic: true, onDemand: true });
  try {
    await testbed.connectInWaves(PROXIES, usedClusters(SERVICES, PROXIES, USED));
    const before = await testbed.measure(true);
    const times = await testbed.reconnect();
    const after = await testbed.measure(true);
    const bench = `reconnect storm of ${PROXIES}, ${USED} of ${SERVICES} services used`;
    return [
      ...differences(bench, before, after, 1),
      { bench, figure: 'bytes sent per proxy', value: round((after.bytes - before.bytes) / PROXIES), unit: 'B' },
      { bench, figure: 'until the median proxy was heard out', value: round(quantile(times, 0.5) / 1000), unit: 's' },
      { bench, figure: 'until the last proxy was heard out', value: round(Math.max(...times) / 1000), unit: 's' },
      { bench, figure: 'resident set', value: round(after.rss / 2 ** 20), unit: 'MiB' },
    ];
  } finally {
    await testbed.stop();
  }
}
