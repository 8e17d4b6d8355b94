import type { Random } from '../fuzz/engine/random.ts';
import type { Replica } from './replica.ts';
import type { World } from './world.ts';

/** What acts change. */
export interface Stage {
  readonly world: World;
  readonly replicas: readonly Replica[];
  readonly random: Random;
  /** Says that a revision may be released, whatever is true of it: somebody or something has let go of it. */
  readonly excuse: (revision: string) => void;
}

/** Something that happens. @returns what, in words; undefined when nothing did */
export type Act = (stage: Stage) => string | undefined;

const release: Act = ({ world, random }) => {
  const errorShare = random.of([0, 0, 0, 0, 0.001, 1, 1, 0.6]);
  const truth = { errorShare, starts: random.below(8) > 0, fullness: random.of([50, 50, 50, 120]) };
  world.release(truth);
  const rest = `${truth.fullness} % full${truth.starts ? '' : ', never starts'}`;
  return `template ${world.deployment.template}: ${truth.errorShare * 100} % errors, ${rest}`;
};

const restart: Act = ({ world }) => {
  const { template } = world.deployment;
  const { errorShare, fullness, starts, restartOf } = world.deployment.truth(template);
  world.release({ errorShare, fullness, starts }, restartOf);
  return `restart of ${template} as ${world.deployment.template}`;
};

const revert: Act = ({ world, random }) => {
  const former = [...world.deployment.made];
  if (former.length === 0) return undefined;
  world.deployment.template = random.of(former);
  return `template ${world.deployment.template} again`;
};

const scale: Act = ({ world, random }) => {
  world.deployment.replicas = random.of([1, 2, 4, 4, 8, 12, 0]);
  return `scaled to ${world.deployment.replicas}`;
};

const crash: Act = ({ world, random }) => {
  const pod = world.deployment.pods[random.below(Math.max(1, world.deployment.pods.length))];
  if (!pod) return undefined;
  pod.restarts++;
  pod.readyAt = Math.max(pod.readyAt, world.now + 3000);
  return `a container of ${pod.revision} crashes`;
};

const lose: Act = ({ world, random }) => {
  const { pods } = world.deployment;
  if (pods.length === 0) return undefined;
  const [pod] = pods.splice(random.below(pods.length), 1);
  return `a pod of ${pod?.revision} is evicted`;
};

const metrics: Act = ({ world, random }) => {
  world.traffic.fault = random.of(['none', 'none', 'incomplete', 'vanished', 'silent'] as const);
  return `metrics: ${world.traffic.fault}`;
};

const usage: Act = ({ world, random }) => {
  world.usage = random.of(['none', 'none', 'absent', 'short'] as const);
  return `usage: ${world.usage}`;
};

const load: Act = ({ world, random }) => {
  world.requestsPerSecond = random.of([0, 1, 20, 50]);
  return `${world.requestsPerSecond} requests/s`;
};

const lag: Act = ({ world, random }) => {
  world.lagging = random.of([0, 0, 1, world.callers]);
  return `${world.lagging} sidecars lag`;
};

const callers: Act = ({ world, random }) => {
  world.callers = random.of([3, 3, 0]);
  world.lagging = 0;
  return `${world.callers} sidecars call`;
};

const suspend: Act = ({ world }) => {
  world.suspended = !world.suspended;
  return `suspend: ${world.suspended}`;
};

const pause: Act = ({ world }) => {
  world.deployment.pausedByUser = !world.deployment.pausedByUser;
  return `paused by the user: ${world.deployment.pausedByUser}`;
};

const webhook: Act = ({ world, random }) => {
  world.webhookIsAway = random.below(3) === 0;
  return world.webhookIsAway ? 'the webhook is away' : 'the webhook is there';
};

const lead: Act = ({ replicas, random }) => {
  const [first, second] = replicas as readonly [Replica, Replica];
  first.leads = random.below(2) === 0;
  second.leads = !first.leads || random.below(3) === 0;
  return first.leads && second.leads ? 'two leaders' : `replica ${first.leads ? 1 : 2} leads`;
};

const clock: Act = ({ replicas, random }) => {
  random.of(replicas).clockOffsetMs = random.of([0, 0, 3_600_000, -3_600_000, 30_000, -30_000]);
  return 'a clock jumps';
};

/** The controller opens all gates of a Canary that goes. */
const remake: Act = ({ world, excuse }) => {
  const { uid, resourceVersion } = world.canary;
  world.canary = { status: undefined, uid: uid + 1, resourceVersion: resourceVersion + 1 };
  for (const pod of world.deployment.pods) pod.open = true;
  for (const revision of [world.deployment.template, ...world.deployment.made]) excuse(revision);
  world.deployment.wanted = {};
  return 'the Canary is deleted and made again';
};

/** The status alone is lost; the pods that are held tell that their revision is not released. */
const wipe: Act = ({ world, excuse }) => {
  const { uid, resourceVersion } = world.canary;
  world.canary = { status: undefined, uid, resourceVersion: resourceVersion + 1 };
  const held = world.deployment.of(world.deployment.template).some(({ gated, open }) => gated && !open);
  if (!held) excuse(world.deployment.template);
  return 'the status is lost';
};

const remove: Act = ({ world }) => {
  world.deleted = !world.deleted;
  world.deployment.clear();
  return world.deleted ? 'the Deployment is gone' : 'the Deployment is back';
};

/** Everything that can happen; what stands here twice happens twice as often. */
export const ACTS: readonly Act[] = [
  ...[release, release, release, release, release, restart, revert, scale, crash, lose, lose, metrics, metrics, usage],
  ...[load, lag, callers, suspend, pause, webhook, lead, lead, clock, remake, wipe, remove],
];
