import { AdsTestbed } from './ads-testbed.ts';
import { differences, quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';
import { hostOf } from './uses.ts';

const SERVICES = 1000;
const PROXIES = 500;
const USED = 10;

/** All proxies join at once, each of which uses a few Services of many: those it is sent whole, of the others virtual hosts alone. */
export async function run(): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES, traffic: true, onDemand: true });
  try {
    const subsets = ['v1', 'v2'];
    const uses = Array.from({ length: USED }, (_, index) => hostOf(index)).flatMap((host) =>
      subsets.map((subset) => `outbound|80|${subset}|${host}`),
    );
    const before = await testbed.measure(true);
    const times = await testbed.connect(PROXIES, [uses]);
    const after = await testbed.measure(true);
    const back = await testbed.reconnect();
    const reconnected = await testbed.measure(true);
    const again = `${PROXIES} reconnect, nothing changed, on demand`;
    const bench = `${PROXIES} join, ${USED} of ${SERVICES} services used`;
    return [
      ...differences(bench, before, after, 1),
      { bench, figure: 'until the median proxy has everything', value: round(quantile(times, 0.5) / 1000), unit: 's' },
      { bench, figure: 'until the last proxy has everything', value: round(Math.max(...times) / 1000), unit: 's' },
      { bench, figure: 'heap and buffers', value: round(after.heap / 2 ** 20), unit: 'MiB' },
      { bench, figure: 'resident set', value: round(after.rss / 2 ** 20), unit: 'MiB' },
      ...differences(again, after, reconnected, 1),
      { bench: again, figure: 'until the last proxy was heard out', value: round(Math.max(...back) / 1000), unit: 's' },
    ];
  } finally {
    await testbed.stop();
  }
}
