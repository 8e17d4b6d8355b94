import { AdsTestbed } from './ads-testbed.ts';
import { quantile, round } from './figures.ts';
import type { ChangeKind, MeshSize } from './messages.ts';
import type { BenchResult } from './result.ts';
import { clusterOf, usedClusters } from './uses.ts';

const SERVICES = [100, 1000, 5000];
const PROXIES = [50, 500, 2000];
const USED = 10;
const WARM_UP = 2;
const ROUNDS = 5;
/** The Service of which something changes. */
const SERVICE = 7;
/** With eager loading each proxy has all Services: more than so many of all proxies together would be a matter of hours. */
const MOST_EAGER = 500_000;
const CHANGES: readonly ChangeKind[] = ['endpoints', 'virtualService'];

/** What joins and changes cost as the mesh grows, each proxy using ten Services: on demand, and eager where that ends within a minute or so. */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const services of SERVICES) {
    for (const proxies of PROXIES) {
      results.push(...(await measure({ services, proxies, traffic: true, onDemand: true })));
      if (services * proxies <= MOST_EAGER) results.push(...(await measure({ services, proxies, traffic: true })));
    }
  }
  return results;
}

async function measure(size: MeshSize): Promise<BenchResult[]> {
  const { services, proxies } = size;
  const onDemand = size.onDemand === true;
  const bench = `${services} services, ${proxies} proxies, ${onDemand ? 'on demand' : 'eager'}`;
  const testbed = await AdsTestbed.start(size);
  try {
    const uses = onDemand ? usedClusters(services, proxies, USED) : undefined;
    const before = await testbed.measure(true);
    const begun = performance.now();
    await testbed.connectInWaves(proxies, uses);
    const seconds = (performance.now() - begun) / 1000;
    const joined = await testbed.measure(true);
    const results: BenchResult[] = [
      {
        bench,
        figure: 'join: CPU per proxy',
        value: round(((joined.cpuSeconds - before.cpuSeconds) * 1000) / proxies),
        unit: 'ms',
      },
      { bench, figure: 'join: bytes per proxy', value: round((joined.bytes - before.bytes) / proxies), unit: 'B' },
      { bench, figure: 'join: all of them', value: round(seconds), unit: 's' },
      { bench, figure: 'heap and buffers', value: round(joined.heap / 2 ** 20), unit: 'MiB' },
      { bench, figure: 'resident set', value: round(joined.rss / 2 ** 20), unit: 'MiB' },
    ];
    for (const change of CHANGES) results.push(...(await measureChange(testbed, bench, change)));
    return results;
  } finally {
    await testbed.stop();
  }
}

async function measureChange(testbed: AdsTestbed, bench: string, change: ChangeKind): Promise<BenchResult[]> {
  const cluster = clusterOf(SERVICE);
  const once = (round: number): Promise<number[]> => testbed.change(change, SERVICE, round, cluster);
  for (let nth = 1; nth <= WARM_UP; nth++) await once(nth);
  const before = await testbed.measure();
  const latencies: number[] = [];
  for (let nth = 1; nth <= ROUNDS; nth++) latencies.push(...(await once(WARM_UP + nth)));
  const after = await testbed.measure();
  const name = change === 'endpoints' ? 'endpoint' : 'VirtualService';
  return [
    {
      bench,
      figure: `${name}: CPU`,
      value: round(((after.cpuSeconds - before.cpuSeconds) * 1000) / ROUNDS),
      unit: 'ms',
    },
    { bench, figure: `${name}: bytes`, value: round((after.bytes - before.bytes) / ROUNDS), unit: 'B' },
    { bench, figure: `${name}: change to ACK, p50`, value: round(quantile(latencies, 0.5)), unit: 'ms' },
    { bench, figure: `${name}: change to ACK, p99`, value: round(quantile(latencies, 0.99)), unit: 'ms' },
    { bench, figure: `${name}: proxies that hear of it`, value: latencies.length / ROUNDS, unit: '' },
  ];
}
