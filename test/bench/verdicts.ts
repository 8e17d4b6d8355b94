import { canarySpec } from '../../api/canary.ts';
import { credibleRange, mostLikely } from '../feature/support/binomial.ts';
import { type ReleaseEnd, releaseOnce, type Sent } from '../feature/support/real-release.ts';
import { type Lane, ReleaseWorld } from '../feature/support/release-world.ts';
import type { SteadyLoad } from '../feature/support/steady-load.ts';
import { quantile, round } from './figures.ts';
import { cpuSeconds } from './process-cost.ts';
import type { BenchResult } from './result.ts';

/** At one time, each with a Service and sidecars of its own. */
const LANES = 8;
const GOOD = 200;
const BAD = 40;
/** Of the stable revision, and of a good one. */
const FAILING = 0.005;
/** By how much more of its requests a bad one fails. */
const WORSE = 0.01;
const PER_SECOND = 465;
/** No release begins later; where the machine is slow, there are fewer. */
const MINUTES = Number(process.env.VERDICTS_MINUTES ?? 20);
/**
 * Of an analysis nothing is told but its steps, that it compares, and how many requests a check needs, which is fewer than it gets unless the machine is slow. A
 * release gets 11,000 requests in these steps, the new revision 5,000 of them.
 */
const ANALYSIS = {
  interval: '4s',
  stepWeights: [20, 50],
  stepDurations: ['4s', '20s'],
  minRequests: 300,
  metrics: [{ name: 'request-success-rate', comparedToStable: { maxDecrease: 0 } }],
};
/** What is still in doubt then passes; by default this is ten minutes. */
const DEADLINE_SECONDS = 180;

const GOODS = `as good as stable (${FAILING * 100} % fail)`;
const BADS = `${WORSE * 100} % more fail`;

/** A release that has ended. */
interface Ended extends ReleaseEnd {
  readonly isBad: boolean;
}

/**
 * Verdicts by real requests: hundreds of releases, of revisions that are as good as the stable one and of some that fail 1 % more, through a real caller's
 * sidecar to real sidecars of both revisions, judged by what these report. Errors are drawn at random, without a seed.
 */
export async function run(): Promise<BenchResult[]> {
  const world = await ReleaseWorld.start(LANES);
  try {
    const began = performance.now();
    const before = await spentBy(world);
    const loads = world.lanes.map((lane) => world.load(lane, PER_SECOND));
    const plan = planned();
    const end = began + MINUTES * 60_000;
    const work = async (lane: Lane, load: SteadyLoad): Promise<Ended[]> => {
      const ended: Ended[] = [];
      for (let isBad = plan.pop(); isBad !== undefined && performance.now() < end; isBad = plan.pop()) {
        ended.push({ ...(await release(world, lane, load, isBad)), isBad });
      }
      load.stop();
      return ended;
    };
    const works = world.lanes.map((lane, nth) => {
      const load = loads[nth];
      return load === undefined ? [] : work(lane, load);
    });
    const ended = (await Promise.all(works)).flat();
    const after = await spentBy(world);
    const seconds = (performance.now() - began) / 1000;
    return figures(ended, loads, {
      ours: after.ours - before.ours,
      sidecars: after.sidecars - before.sidecars,
      seconds,
    });
  } finally {
    await world.stop();
  }
}

/** Whether each release is of a bad revision: all in an even mixture, so that it does not matter much where time ends. */
function planned(): boolean[] {
  const every = Math.round((GOOD + BAD) / BAD);
  return Array.from({ length: GOOD + BAD }, (_, nth) => nth % every === 0);
}

function release(world: ReleaseWorld, lane: Lane, load: SteadyLoad, isBad: boolean): Promise<ReleaseEnd> {
  lane.stable.chance = FAILING;
  lane.next.chance = FAILING + (isBad ? WORSE : 0);
  const spec = canarySpec.parse({
    targetRef: { kind: 'Deployment', name: lane.name },
    progressDeadlineSeconds: DEADLINE_SECONDS,
    analysis: ANALYSIS,
  });
  return releaseOnce(world, lane, load, spec);
}

/** In seconds. */
interface Spent {
  /** Of this process: control plane, load and applications. */
  readonly ours: number;
  readonly sidecars: number;
}

async function spentBy({ envoys }: ReleaseWorld): Promise<Spent> {
  const all = await Promise.all(envoys.map(({ pid }) => cpuSeconds(pid)));
  return { ours: await cpuSeconds(process.pid), sidecars: all.reduce((sum, one) => sum + one, 0) };
}

function figures(
  ended: readonly Ended[],
  loads: readonly SteadyLoad[],
  spent: Spent & { seconds: number },
): BenchResult[] {
  const [good, bad] = [ended.filter(({ isBad }) => !isBad), ended.filter(({ isBad }) => isBad)];
  const requests = ended.reduce((sum, { sent }) => sum + sent.requests, 0);
  const lost = loads.reduce((sum, { statuses }) => sum + (statuses.get(0) ?? 0), 0);
  const bench = `verdicts, ${LANES} releases at a time`;
  const all = { bench, unit: '' };
  return [
    { ...all, figure: 'releases', value: ended.length },
    { ...all, figure: 'requests', value: requests },
    { ...all, figure: 'requests without an answer', value: lost, aim: 0 },
    {
      ...all,
      figure: 'requests that sidecars have not told of',
      value: ended.reduce((sum, { untold }) => sum + untold, 0),
      aim: 0,
    },
    ...sharesOf(bench, ended),
    ...judged(GOODS, good, ({ isPromoted }) => !isPromoted, 'given up'),
    {
      ...all,
      bench: GOODS,
      figure: 'releases with a failed check',
      value: good.filter((one) => one.failedChecks > 0).length,
    },
    {
      ...all,
      bench: GOODS,
      figure: 'releases that passed a check in doubt',
      value: good.filter(({ doubts }) => doubts > 0).length,
    },
    ...requestsOf(
      `${GOODS}, until promoted`,
      good.filter(({ isPromoted }) => isPromoted).map(({ sent }) => sent),
    ),
    ...judged(BADS, bad, ({ isPromoted }) => isPromoted, 'promoted'),
    ...requestsOf(
      `${BADS}, until the first check failed`,
      bad.flatMap(({ untilFailed = [] }) => untilFailed),
    ),
    ...requestsOf(
      `${BADS}, until given up`,
      bad.filter(({ isPromoted }) => !isPromoted).map(({ sent }) => sent),
    ),
    { bench, figure: 'time', value: round(spent.seconds), unit: 's' },
    { bench, figure: 'CPU of sidecars', value: round((spent.sidecars / requests) * 1e6), unit: 'µs a request' },
    { bench, figure: 'CPU of all else', value: round((spent.ours / requests) * 1e6), unit: 'µs a request' },
  ];
}

/** How many releases ended as they should not, and how many may do so in the long run. */
function judged(
  bench: string,
  ended: readonly Ended[],
  isWrong: (one: Ended) => boolean,
  wrong: string,
): BenchResult[] {
  const found = ended.filter(isWrong).length;
  return [
    { bench, figure: 'releases', value: ended.length, unit: '' },
    { bench, figure: wrong, value: found, unit: '', aim: 0 },
    ...reasonsOf(bench, ended),
    {
      bench,
      figure: `${wrong} in the long run, with 95 % confidence`,
      value: round(mostLikely(found, ended.length) * 100),
      unit: '% at most',
    },
  ];
}

function reasonsOf(bench: string, ended: readonly Ended[]): BenchResult[] {
  const counts = new Map<string, number>();
  for (const { reason } of ended) if (reason !== '') counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, value]) => ({ bench, figure: `given up for ${reason}`, value, unit: '' }));
}

function requestsOf(bench: string, sent: readonly Sent[]): BenchResult[] {
  const of = (share: number, field: keyof Sent): number =>
    quantile(
      sent.map((one) => one[field]),
      share,
    );
  return [
    { bench, figure: 'requests, p50', value: of(0.5, 'requests'), unit: '' },
    { bench, figure: 'requests, p90', value: of(0.9, 'requests'), unit: '' },
    { bench, figure: 'requests, most', value: of(1, 'requests'), unit: '' },
    { bench, figure: 'of these to the new revision, p50', value: of(0.5, 'next'), unit: '' },
    { bench, figure: 'of these to the new revision, p90', value: of(0.9, 'next'), unit: '' },
    { bench, figure: 'of these to the new revision, most', value: of(1, 'next'), unit: '' },
  ];
}

/** What the new revisions got of the requests at each weight, and by how much that is more or less than chance explains. */
function sharesOf(bench: string, ended: readonly Ended[]): BenchResult[] {
  return ANALYSIS.stepWeights.flatMap((weight): BenchResult[] => {
    const all = ended.flatMap(({ atWeight }) => atWeight.get(weight) ?? []);
    const requests = all.reduce((sum, one) => sum + one.requests, 0);
    const next = all.reduce((sum, one) => sum + one.next, 0);
    const { least, most } = credibleRange(requests, weight / 100);
    const beyond = Math.max(0, least - next, next - most);
    return [
      { bench, figure: `share at ${weight} %`, value: Math.round((next / requests) * 1e5) / 1e3, unit: '%' },
      { bench, figure: `requests beyond chance at ${weight} %`, value: beyond, unit: '', aim: 0 },
    ];
  });
}
