import { setTimeout as sleep } from 'node:timers/promises';
import { AdsTestbed } from './ads-testbed.ts';
import { round } from './figures.ts';
import { countDiffering } from './holdings.ts';
import type { Holding, MeshSize } from './messages.ts';
import type { BenchResult } from './result.ts';
import { steadyChanges } from './steady-changes.ts';
import { usedClusters } from './uses.ts';

const PROXIES = 500;
const USED = 10;
/** Those that refuse all they are sent, and those that read a byte a second. */
const ODD = 5;
const CRASHES = 30;
const CRASH_EVERY_MS = 10_000;
const CHANGE_EVERY_MS = 1_000;
/** Longer than proxies wait for a ping. */
const FREEZE_MS = 30_000;
const SETTLE_MS = 120_000;

/**
 * The control plane is killed every ten seconds, and stands still for half a minute in the end, while something changes every second and some proxies
 * refuse everything or hardly read. Afterwards each proxy must hold what it would hold had it come just now.
 */
export async function run(): Promise<BenchResult[]> {
  return [
    ...(await endure('1,000 services on demand', { services: 1000, proxies: PROXIES + 2 * ODD, onDemand: true })),
    ...(await endure('100 services, eager', { services: 100, proxies: PROXIES + 2 * ODD })),
  ];
}

async function endure(mesh: string, size: MeshSize): Promise<BenchResult[]> {
  const { services, onDemand } = size;
  const whole: MeshSize = { ...size, traffic: true, asShipped: true };
  const uses = onDemand === true ? usedClusters(services, PROXIES, USED) : undefined;
  const testbed = await AdsTestbed.start(whole);
  try {
    await testbed.connect(PROXIES, uses, 'well');
    await testbed.connect(ODD, uses, 'refuses');
    await testbed.connect(ODD, uses, 'hardly reads');
    const before = await testbed.measure(true);
    const change = steadyChanges(services, CHANGE_EVERY_MS);
    for (let crashes = 0; crashes < CRASHES; crashes++) {
      await change(testbed, CRASH_EVERY_MS);
      await testbed.crash();
    }
    testbed.freeze(true);
    await sleep(FREEZE_MS);
    testbed.freeze(false);
    await change(testbed, CRASH_EVERY_MS);
    const expected = await holdingsFromScratch({ ...whole, changes: testbed.changes }, uses);
    const begun = performance.now();
    let differing = countDiffering(await testbed.holdings(0, PROXIES), expected);
    while (differing > 0 && performance.now() - begun < SETTLE_MS) {
      await sleep(1000);
      differing = countDiffering(await testbed.holdings(0, PROXIES), expected);
    }
    const after = await testbed.measure(true);
    const returns = (await testbed.holdings(0, PROXIES)).map((holding) => holding.returns);
    const bench = `${CRASHES} crashes and a freeze, ${PROXIES} proxies, ${mesh}`;
    return [
      { bench, figure: 'proxies that hold other than from scratch', value: differing, unit: '', aim: 0 },
      { bench, figure: 'fewest times that a proxy came back', value: Math.min(...returns), unit: '' },
      { bench, figure: 'heap and buffers before', value: round(before.heap / 2 ** 20), unit: 'MiB' },
      {
        bench,
        figure: 'heap and buffers after',
        value: round(after.heap / 2 ** 20),
        unit: 'MiB',
        aim: round((1.2 * before.heap) / 2 ** 20),
      },
    ];
  } finally {
    await testbed.stop();
  }
}

/** What proxies hold that come to a control plane that was just made, as are they. */
async function holdingsFromScratch(
  size: MeshSize,
  uses: readonly (readonly string[])[] | undefined,
): Promise<readonly Holding[]> {
  const testbed = await AdsTestbed.start(size);
  try {
    await testbed.connect(PROXIES, uses, 'well');
    return await testbed.holdings(0, PROXIES);
  } finally {
    await testbed.stop();
  }
}
