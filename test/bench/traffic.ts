import { AdsTestbed } from './ads-testbed.ts';
import { differences, quantile, round } from './figures.ts';
import type { ChangeKind } from './messages.ts';
import type { BenchResult } from './result.ts';

const SERVICES = 1000;
const PROXIES = 500;
/** All in one, and each with Services of its own. */
const NAMESPACES = [1, 20];
const WARM_UP = 2;
const ROUNDS = 5;
/** The Service of which something changes. */
const SERVICE = 7;
const CHANGES: readonly { readonly change: ChangeKind; readonly name: string }[] = [
  { change: 'virtualService', name: 'VirtualService' },
  { change: 'destinationRule', name: 'DestinationRule' },
  { change: 'endpoints', name: 'endpoint' },
];

/**
 * One object changes in a mesh in which every Service has a VirtualService and a DestinationRule, and every connected proxy must hear of it and
 * acknowledge; before, they join, a wave after the other.
 */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const namespaces of NAMESPACES) results.push(...(await measure(namespaces)));
  return results;
}

async function measure(namespaces: number): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES, namespaces, traffic: true });
  const spread = `${namespaces} ${namespaces === 1 ? 'namespace' : 'namespaces'}`;
  try {
    const empty = await testbed.measure(true);
    await testbed.connectInWaves(PROXIES);
    const joined = await testbed.measure();
    const results = [...differences(`${PROXIES} join, ${spread}`, empty, joined, 1)];
    for (const { change, name } of CHANGES) {
      results.push(...(await measureChange(testbed, change, `${name}, ${spread}`, namespaces)));
    }
    const settled = await testbed.measure(true);
    const back = await testbed.reconnect();
    const full = await testbed.measure(true);
    results.push(...differences(`${PROXIES} reconnect, ${spread}`, settled, full, 1), {
      bench: `${PROXIES} reconnect, ${spread}`,
      figure: 'until the last proxy was heard out',
      value: round(Math.max(...back) / 1000),
      unit: 's',
    });
    const bench = `control plane, ${spread}`;
    results.push(
      { bench, figure: 'heap and buffers before', value: round(empty.heap / 2 ** 20), unit: 'MiB' },
      { bench, figure: 'heap and buffers with all', value: round(full.heap / 2 ** 20), unit: 'MiB' },
      { bench, figure: 'resident set with all', value: round(full.rss / 2 ** 20), unit: 'MiB' },
    );
    return results;
  } finally {
    await testbed.stop();
  }
}

async function measureChange(
  testbed: AdsTestbed,
  change: ChangeKind,
  bench: string,
  namespaces: number,
): Promise<BenchResult[]> {
  for (let nth = 1; nth <= WARM_UP; nth++) await testbed.change(change, SERVICE, nth);
  const before = await testbed.measure();
  const latencies: number[] = [];
  for (let nth = 1; nth <= ROUNDS; nth++) latencies.push(...(await testbed.change(change, SERVICE, WARM_UP + nth)));
  const after = await testbed.measure();
  const hosts = await testbed.countHosts(() => testbed.change(change, SERVICE, WARM_UP + ROUNDS + 1));
  return [
    ...differences(bench, before, after, ROUNDS),
    {
      bench,
      figure: 'virtual hosts encoded',
      value: hosts,
      unit: '',
      // Where short names resolve the host has one more name.
      ...(change === 'virtualService' ? { aim: Math.min(2, namespaces) } : {}),
    },
    { bench, figure: 'change to ACK, p50', value: round(quantile(latencies, 0.5)), unit: 'ms' },
    { bench, figure: 'change to ACK, p99', value: round(quantile(latencies, 0.99)), unit: 'ms' },
  ];
}
