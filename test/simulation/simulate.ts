import { canarySpec } from '../../api/canary.ts';
import { Random } from '../fuzz/engine/random.ts';
import { ACTS, type Stage } from './acts.ts';
import { FULL, Judge } from './judge.ts';
import { Replica, type WriteFault } from './replica.ts';
import { World } from './world.ts';

/** What a simulated schedule came to. */
export interface Outcome {
  readonly promotions: number;
  readonly failures: number;
  /** What happened, one line each, oldest first. */
  readonly story: readonly string[];
}

/** A schedule that went wrong; `story` tells how. */
export class SimulationError extends Error {
  readonly story: readonly string[];

  constructor(message: string, story: readonly string[], cause: unknown) {
    super(message, { cause });
    this.story = story;
  }
}

const MOST_ACTS = 60;
/** Time for everything to settle once no more faults happen, in ms. */
const CALM_MS = 40 * 60_000;

/**
 * Lives through one random schedule of releases and faults, then lets everything come to rest.
 * @param seed the same seed gives the same schedule
 * @throws {SimulationError} when a bad revision is released, a Canary stands still without end, or does not say why it is where it is
 */
export function simulate(seed: number): Outcome {
  const random = new Random(seed);
  const story: string[] = [];
  const world = new World(random, randomSpec(random));
  world.release({ errorShare: 0, fullness: 50, starts: true });
  const judge = new Judge(world);
  const excuse = (revision: string) => judge.excuse(revision);
  const stage: Stage = { world, replicas: [new Replica(world), new Replica(world)], random, excuse };
  const leader = stage.replicas[0] as Replica;
  leader.leads = true;
  const tell = (line: string) => story.push(`${((world.now - start) / 1000).toFixed(1)} s: ${line}`);
  const start = world.now;
  listen(stage, judge, tell);
  try {
    settle(stage, judge, 60_000);
    const acts = 1 + random.below(MOST_ACTS);
    for (let i = 0; i < acts; i++) {
      const act = random.of(ACTS);
      const said = act(stage);
      if (said) tell(said);
      run(stage, judge, 500 + random.below(12_000), true);
    }
    endFaults(stage);
    tell('no more faults');
    settle(stage, judge, CALM_MS);
    // Pods that were taken away last come back.
    run(stage, judge, 20_000, false);
    checkRest(stage);
  } catch (error) {
    throw new SimulationError(`seed ${seed}: ${(error as Error).message}`, story, error);
  }
  return { promotions: judge.promotions, failures: judge.failures, story };
}

function randomSpec(random: Random) {
  const plan = random.of<object>([
    { stepWeights: [5, 50] },
    { stepWeights: [5, 50], rollbackWindow: '30s', pauses: [{ afterStep: 1, duration: '15s' }] },
    { stepWeights: [10, 40, 100], stepWeightPromotion: 30 },
    { stepWeight: 30, maxWeight: 60, surge: '100%' },
    { stepWeights: [5, 50], mirror: true, mirrorWeight: 50 },
    { iterations: 3, match: [{ headers: { 'x-tester': { exact: 'yes' } } }] },
    { iterations: 3, mirror: true },
  ]);
  const metrics = random.of<readonly object[]>([
    [],
    [
      { name: 'request-success-rate', thresholdRange: { min: 99 } },
      { name: 'cpu-usage', thresholdRange: { max: FULL } },
    ],
  ]);
  return canarySpec.parse({
    targetRef: { kind: 'Deployment', name: 'ordering' },
    progressDeadlineSeconds: random.of([60, 120, 600]),
    analysis: { interval: random.of(['1s', '10s', '30s']), threshold: random.of([1, 2, 5]), metrics, ...plan },
  });
}

/** Lets time pass; replicas look when something has changed or when they wanted to. */
function run({ world, replicas, random }: Stage, judge: Judge, ms: number, faults: boolean) {
  const until = world.now + ms;
  while (world.now < until) {
    const before = world.serving;
    const size = world.deployment.scaledTo;
    world.pass(Math.min(until - world.now, 250 + random.below(1500)));
    judge.seeTurn(before, size);
    for (const replica of replicas) {
      if (!faults || random.below(4) > 0) replica.sync();
      if (!replica.leads) continue;
      replica.step(() => (faults ? randomFault(random) : 'none'));
    }
  }
}

/** Judges each status that is written, and tells of it. */
function listen({ world }: Stage, judge: Judge, tell: (line: string) => void): void {
  world.onStatus = (step) => {
    judge.seeStep(step);
    const { phase, weight, verdict } = step.after;
    if (phase !== step.before?.phase || weight !== step.before?.weight) tell(`${phase} ${weight} % ${verdict ?? ''}`);
    for (const { reason, message } of step.events) tell(`  ${reason}: ${message}`);
  };
}

function randomFault(random: Random): WriteFault {
  const faults: readonly WriteFault[] = ['refused', 'unanswered', 'dies before', 'dies after'];
  return random.below(10) > 0 ? 'none' : random.of(faults);
}

/** Lets time pass without faults until nothing moves any more, but at most so long. */
function settle(stage: Stage, judge: Judge, most: number): void {
  const end = stage.world.now + most;
  while (stage.world.now < end && !isAtRest(stage)) run(stage, judge, 5000, false);
}

function isAtRest({ world }: Stage): boolean {
  if (world.deleted) return false;
  const { phase, stableRevision, canaryRevision, failedRevision, conditions = [] } = world.canary.status ?? {};
  const { template } = world.deployment;
  if (phase === 'Failed') return failedRevision === template;
  // What never starts is never rolled out whole, with or without a Canary.
  const { starts } = world.deployment.truth(template);
  const isOthers = conditions.some(({ reason }) => reason === 'RolloutInProgress');
  if (isOthers) return !starts;
  if (phase === 'Promoting') return !starts && canaryRevision === template;
  const ended = phase === 'Succeeded' || phase === 'Initialized';
  return ended && stableRevision === template && (!starts || world.deployment.rolledOut(world.now));
}

function endFaults({ world, replicas }: Stage): void {
  Object.assign(world, {
    suspended: false,
    deleted: false,
    webhookIsAway: false,
    requestsPerSecond: 50,
    usage: 'none',
    callers: 3,
    lagging: 0,
  });
  world.traffic.fault = 'none';
  world.deployment.pausedByUser = false;
  // As the condition Ungated asks for.
  const released = world.canary.status?.ungatedRevisions ?? [];
  for (const pod of [...world.deployment.pods]) {
    if (!pod.gated && !released.includes(pod.revision))
      world.deployment.pods.splice(world.deployment.pods.indexOf(pod), 1);
  }
  for (const [index, replica] of replicas.entries()) {
    replica.leads = index === 0;
    replica.clockOffsetMs = 0;
    replica.sync();
  }
}

function checkRest(stage: Stage): void {
  const { world } = stage;
  const { status } = world.canary;
  if (!isAtRest(stage)) {
    const pods = world.deployment.pods.map(
      ({ revision, gated, open }) => `${revision}${gated && !open ? ' held' : ''}`,
    );
    const said = status?.conditions?.map(({ type, status: value, message }) => `${type}=${value} ${message}`);
    throw new Error(
      `stands still: ${JSON.stringify({ ...status, conditions: said })}; template ${world.deployment.template}, pods ${pods}`,
    );
  }
  if (status?.phase !== 'Failed') return;
  // Kubernetes makes no more pods of an old revision than it has, whatever took them away.
  const starting = (status.ungatedRevisions ?? []).filter((revision) => world.deployment.truth(revision).starts);
  const wanted = starting.reduce((sum, revision) => sum + world.deployment.size(revision), 0);
  if (world.serving < Math.min(wanted, world.deployment.replicas)) {
    throw new Error(`${world.serving} of ${wanted} released pods serve after ${status.failedRevision} failed`);
  }
}
