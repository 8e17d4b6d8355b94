import { setTimeout as sleep } from 'node:timers/promises';
import type { CanarySpec } from '../../../api/canary.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { nextStatus } from '../../../operator/canary/phase-machine.ts';
import type { FailingBackend } from './failing-backend.ts';
import type { Lane, ReleaseWorld } from './release-world.ts';
import type { SteadyLoad } from './steady-load.ts';

/** After a release, for what sidecars counted of it, which comes in a flush or two where they are not short of CPU; and how often is looked. */
const PATIENCE_MS = 30_000;
const TOLD_MS = 100;
/** Between two looks while a weight is on its way; an operator looks when sidecars acknowledge. */
const AWAIT_MS = 50;

/** Requests that the applications got. */
export interface Sent {
  /** Of both revisions. */
  readonly requests: number;
  /** Of the new one. */
  readonly next: number;
}

/** How a release ended. */
export interface ReleaseEnd {
  readonly isPromoted: boolean;
  /** Why it was given up, as its condition says; '' else. */
  readonly reason: string;
  readonly failedChecks: number;
  /** Checks that passed at the deadline alone, as they were no worse than what chance explains. */
  readonly doubts: number;
  /** From the first weight to the end. */
  readonly sent: Sent;
  /** Requests that the new revision's application got and sidecars of either side have not told of, or the other way round. */
  readonly untold: number;
  /** To the first check that failed. */
  readonly untilFailed: Sent | undefined;
  /** By weight, while it was in force. */
  readonly atWeight: ReadonlyMap<number, Sent>;
}

/** Takes a release of `r2` to its verdict as the operator does, by what sidecars counted. The load is sent while it lasts. */
export async function releaseOnce(
  world: ReleaseWorld,
  lane: Lane,
  load: SteadyLoad,
  spec: CanarySpec,
): Promise<ReleaseEnd> {
  let status = nextStatus(undefined, world.observe(lane, spec, 'r1')).status;
  world.tell(lane, spec, status);
  // The ledger counts by whole seconds.
  const began = Math.ceil(Date.now() / 1000) * 1000;
  await sleep(began - Date.now());
  const count = counter(lane);
  const atWeight = new Map<number, Sent>();
  let [untilFailed, doubts]: [Sent | undefined, number] = [undefined, 0];
  load.start();
  for (let last = count(); ; ) {
    const before = status;
    const step = nextStatus(before, world.observe(lane, spec, 'r2'));
    ({ status } = step);
    const now = count();
    if (before.stepStartTime !== undefined) add(atWeight, before.weight ?? 0, now, last);
    last = now;
    if (step.events.some(({ reason }) => reason === 'PassedInDoubt')) doubts += 1;
    if ((status.failedChecks ?? 0) > 0) untilFailed ??= now;
    if (isNews(before, status)) world.tell(lane, spec, status);
    const failed = status.conditions?.find(({ type, status: is }) => type === 'Failed' && is === 'True');
    if (failed || status.phase === 'Promoting') {
      load.pause();
      const untold = await untoldOf(world, lane, began, () => count().next);
      const { failedChecks = 0 } = status;
      const end = { sent: now, untold, untilFailed, atWeight, failedChecks, doubts };
      return { isPromoted: !failed, reason: failed?.reason ?? '', ...end };
    }
    const { requeueAfterMs = AWAIT_MS } = step;
    await sleep(status.stepStartTime === undefined ? Math.min(AWAIT_MS, requeueAfterMs) : requeueAfterMs);
  }
}

/** Waits until sidecars have told of as many requests as applications got, so that nothing of this release is left for the next; gives how many are missed. */
async function untoldOf(world: ReleaseWorld, lane: Lane, began: number, got: () => number): Promise<number> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    const { callers, served } = world.toldOf(lane, began);
    const untold = Math.max(...[callers, served].map(({ requests }) => Math.abs(got() - requests)));
    if (untold === 0 || performance.now() > end) return untold;
    await sleep(TOLD_MS);
  }
}

/** Whether the mesh is to hear of it. */
function isNews(before: CanaryStatus, status: CanaryStatus): boolean {
  return before.weight !== status.weight || before.canaryRevision !== status.canaryRevision;
}

function counter({ stable, next }: Lane): () => Sent {
  const of = ({ requests }: FailingBackend): number => requests;
  const [stables, nexts] = [of(stable), of(next)];
  return () => ({ requests: of(stable) + of(next) - stables - nexts, next: of(next) - nexts });
}

function add(atWeight: Map<number, Sent>, weight: number, now: Sent, last: Sent): void {
  const known = atWeight.get(weight) ?? { requests: 0, next: 0 };
  const sent = {
    requests: known.requests + now.requests - last.requests,
    next: known.next + now.next - last.next,
  };
  atWeight.set(weight, sent);
}
