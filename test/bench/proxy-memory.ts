import { AdsTestbed } from './ads-testbed.ts';
import { round } from './figures.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 100;
const WARM = 100;
const PROXIES = 1000;

/** What one more connected proxy costs the operator, connection and all, when everything has calmed down. */
export async function run(): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES });
  try {
    await testbed.connect(WARM);
    const before = await testbed.measure(true);
    await testbed.connect(PROXIES - WARM);
    const after = await testbed.measure(true);
    const added = PROXIES - WARM;
    const bench = `memory with ${PROXIES} proxies`;
    return [
      {
        bench,
        figure: 'heap and buffers per proxy',
        value: round((after.heap - before.heap) / added / 1024),
        unit: 'KiB',
      },
      { bench, figure: 'resident set per proxy', value: round((after.rss - before.rss) / added / 1024), unit: 'KiB' },
      { bench, figure: 'resident set', value: round(after.rss / 2 ** 20), unit: 'MiB' },
    ];
  } finally {
    await testbed.stop();
  }
}
