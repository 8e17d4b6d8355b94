import { setTimeout as sleep } from 'node:timers/promises';
import { AdsTestbed } from './ads-testbed.ts';
import { quantile, round } from './figures.ts';
import type { MeshSize } from './messages.ts';
import type { BenchResult } from './result.ts';
import { clusterOf, usedClusters } from './uses.ts';

const SERVICES = 1000;
const PROXIES = 500;
const USED = 10;
const RATES = [5, 50];
const SECONDS = 20;
/** For what is under way at the end. */
const REST_MS = 5000;

/** Endpoints of one Service after the other change at a steady rate: how long it takes until each proxy that has them has the newest. */
export async function run(): Promise<BenchResult[]> {
  const size: MeshSize = { services: SERVICES, proxies: PROXIES, traffic: true };
  return [...(await measure('eager', size)), ...(await measure('on demand', { ...size, onDemand: true }))];
}

async function measure(loading: string, size: MeshSize): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start(size);
  const results: BenchResult[] = [];
  try {
    const uses = size.onDemand === true ? usedClusters(SERVICES, PROXIES, USED) : undefined;
    await testbed.connectInWaves(PROXIES, uses);
    // V8 gets to know the load.
    await testbed.record(() => churn(testbed, RATES[0] ?? 1));
    for (const rate of RATES) {
      const bench = `${rate} endpoint changes a second, ${loading}`;
      const before = await testbed.measure();
      let changedAt = new Map<string, number>();
      const arrivals = await testbed.record(async () => {
        changedAt = await churn(testbed, rate);
      });
      const after = await testbed.measure();
      const lags = [...changedAt].flatMap(([name, moment]) => (arrivals[name] ?? []).map((at) => at - moment));
      const late = lags.filter((lag) => lag >= 0);
      results.push(
        { bench, figure: 'change to arrival, p50', value: round(quantile(late, 0.5)), unit: 'ms' },
        { bench, figure: 'change to arrival, p99', value: round(quantile(late, 0.99)), unit: 'ms' },
        { bench, figure: 'arrivals per change', value: round(late.length / changedAt.size), unit: '' },
        {
          bench,
          figure: 'CPU per change',
          value: round(((after.cpuSeconds - before.cpuSeconds) * 1000) / changedAt.size),
          unit: 'ms',
        },
      );
    }
    return results;
  } finally {
    await testbed.stop();
  }
}

/** Changes endpoints at a rate, of each Service once at most; gives when, by cluster. */
async function churn(testbed: AdsTestbed, rate: number): Promise<Map<string, number>> {
  const changedAt = new Map<string, number>();
  const begun = performance.now();
  for (let nth = 0; nth < rate * SECONDS; nth++) {
    await sleep(Math.max(0, begun + (nth * 1000) / rate - performance.now()));
    changedAt.set(clusterOf(nth), await testbed.publish('endpoints', nth, rounds++));
  }
  await sleep(REST_MS);
  return changedAt;
}

let rounds = 1;
