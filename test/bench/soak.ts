import { AdsTestbed } from './ads-testbed.ts';
import { quantile, round } from './figures.ts';
import type { BenchResult } from './result.ts';
import { steadyChanges } from './steady-changes.ts';

const SERVICES = 1000;
const PROXIES = 500;
const MINUTES = 60;
const MINUTE_MS = 60_000;
/** The first minutes are V8's, which gets to know the load. */
const WARM_UP = 10;
const CHANGE_EVERY_MS = 1000;

/** An hour of one change a second, that every proxy must hear of: whether memory grows, and whether anything holds the event loop. */
export async function run(): Promise<BenchResult[]> {
  const testbed = await AdsTestbed.start({ services: SERVICES, proxies: PROXIES, traffic: true });
  try {
    await testbed.connectInWaves(PROXIES);
    const change = steadyChanges(SERVICES, CHANGE_EVERY_MS);
    const begun = await testbed.measure(true);
    const minutes = [];
    for (let minute = 0; minute < MINUTES; minute++) {
      await change(testbed, MINUTE_MS);
      minutes.push(await testbed.measure(true));
    }
    const last = minutes.at(-1) ?? begun;
    const settled = minutes.slice(WARM_UP);
    const heap = growth(settled.map((one) => one.heap / 2 ** 20));
    const rss = growth(settled.map((one) => one.rss / 2 ** 20));
    const bench = `soak of ${MINUTES} minutes, ${PROXIES} proxies, ${SERVICES} services, eager`;
    const delays = settled.map(({ delayP99Ms }) => delayP99Ms);
    return [
      {
        bench,
        figure: 'CPU per change',
        value: round((last.cpuSeconds - begun.cpuSeconds) / ((MINUTES * MINUTE_MS) / CHANGE_EVERY_MS)),
        unit: 's',
      },
      { bench, figure: 'growth of heap and buffers', value: round(heap.slope * 60), unit: 'MiB/h' },
      { bench, figure: 'its standard error', value: round(heap.error * 60), unit: 'MiB/h' },
      { bench, figure: 'growth of the resident set', value: round(rss.slope * 60), unit: 'MiB/h' },
      { bench, figure: 'its standard error', value: round(rss.error * 60), unit: 'MiB/h' },
      { bench, figure: 'resident set at the end', value: round(last.rss / 2 ** 20), unit: 'MiB' },
      {
        bench,
        figure: 'delay of the event loop, p99, median minute',
        value: round(quantile(delays, 0.5)),
        unit: 'ms',
        aim: 20,
      },
      { bench, figure: 'delay of the event loop, p99, worst minute', value: round(Math.max(...delays)), unit: 'ms' },
    ];
  } finally {
    await testbed.stop();
  }
}

/** Slope of a line through equally spaced values, per step, and its standard error. */
function growth(values: readonly number[]): { readonly slope: number; readonly error: number } {
  const n = values.length;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const spread = values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
  const slope = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0) / spread;
  const rest = values.reduce((sum, value, at) => sum + (value - mean - slope * (at - middle)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / Math.max(1, n - 2) / spread) };
}
