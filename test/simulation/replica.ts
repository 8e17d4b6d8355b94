import { isDeepStrictEqual } from 'node:util';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { RevisionUsage, UsageAnswer } from '../../api/canary-usage.ts';
import type { CanaryEvent } from '../../operator/canary/draft.ts';
import { observationOf, targetOf } from '../../operator/canary/observation.fixture.ts';
import type { Observation, RevisionView, TargetView } from '../../operator/canary/observation.ts';
import { nextStatus } from '../../operator/canary/phase-machine.ts';
import { isSameOnWire } from '../../operator/canary/same-on-wire.ts';
import { sideOf } from '../../operator/canary/side.ts';
import type { WantedFields } from '../../operator/canary/targets/borrowed-fields.ts';
import { wantedFields } from '../../operator/canary/targets/wanted-fields.ts';
import type { DeploymentModel } from './deployment-model.ts';
import type { StoredCanary, World } from './world.ts';

/** What may go wrong with a write: refused (409, 429, 500) or done without an answer, or the operator dies before or after it. */
export type WriteFault = 'none' | 'refused' | 'unanswered' | 'dies before' | 'dies after';

/** What a step came to, for those who judge it. */
export interface Step {
  readonly before: CanaryStatus | undefined;
  readonly after: CanaryStatus;
  readonly events: readonly CanaryEvent[];
}

/** One operator: its stores, which may be old, and what it wrote last. It does what CanaryReconciler does, in its order. */
export class Replica {
  readonly #world: World;
  #canary: StoredCanary;
  #target: TargetView | undefined;
  #written: StoredCanary | undefined;
  /** It believes that it leads. Two may, for a while. */
  leads = false;
  /** Its clock is so many ms off. */
  clockOffsetMs = 0;
  /** When it wants to look again, in ms of the world's clock. */
  wakesAt = 0;

  constructor(world: World) {
    this.#world = world;
    this.#canary = world.canary;
    this.#target = viewTarget(world);
  }

  /** Its watches have brought everything. */
  sync(): void {
    this.#canary = this.#world.canary;
    this.#target = viewTarget(this.#world);
  }

  /**
   * One reconcile.
   * @param fault of the n-th write of this step
   */
  step(fault: (write: number) => WriteFault): void {
    const canary = this.#newest();
    const { status: before } = canary;
    const observation = this.#observe();
    const { status, events, requeueAfterMs } = nextStatus(before, observation);
    this.wakesAt = this.#world.now + (requeueAfterMs ?? Number.POSITIVE_INFINITY);
    let writes = 0;
    /** False: the step ends here. */
    const attempt = (write: () => boolean): boolean => {
      const wrong = fault(writes++);
      if (wrong === 'refused') this.wakesAt = this.#world.now + 1000;
      if (wrong === 'refused') return false;
      if (wrong === 'dies before') return this.#die();
      const done = write();
      if (wrong === 'dies after') return this.#die();
      if (wrong === 'unanswered' || !done) this.wakesAt = this.#world.now + 50;
      return done && wrong !== 'unanswered';
    };
    const released = new Set(before?.ungatedRevisions ?? []);
    if (!attempt(() => this.#openGates(released))) return;
    const changed = !isSameOnWire(status, before ?? {});
    if (changed && !attempt(() => this.#write({ before, after: status, events }, canary))) return;
    const fresh = (status.ungatedRevisions ?? []).filter((revision) => !released.has(revision));
    if (fresh.length > 0 && !attempt(() => this.#openGates(new Set(fresh)))) return;
    const wanted = wantedFields(status, observation);
    if (wanted) attempt(() => this.#borrow(wanted));
  }

  #write(step: Step, { uid, resourceVersion }: StoredCanary): boolean {
    if (!this.#world.write(step, uid, resourceVersion)) return false;
    this.#written = this.#world.canary;
    return true;
  }

  #openGates(revisions: ReadonlySet<string>): boolean {
    for (const pod of this.#world.deployment.pods) if (revisions.has(pod.revision)) pod.open = true;
    return true;
  }

  #borrow(wanted: WantedFields): boolean {
    this.#world.deployment.wanted = wanted;
    return true;
  }

  /** It is started anew, with nothing but what the API server has. */
  #die(): false {
    this.#written = undefined;
    this.sync();
    this.wakesAt = this.#world.now;
    return false;
  }

  #newest(): StoredCanary {
    const written = this.#written;
    const newer = written && written.uid === this.#canary.uid && written.resourceVersion > this.#canary.resourceVersion;
    return newer ? written : this.#canary;
  }

  #observe(): Observation {
    const world = this.#world;
    const now = world.now + this.clockOffsetMs;
    return observationOf(this.#target, {
      now,
      spec: { ...world.spec, suspend: world.suspended },
      // Sidecars acknowledge what the Canary's written status says, not what a step has in mind.
      coverage: (next, { weight, matched, mirror }) => {
        const { status = {} } = world.canary;
        const shown = status.canaryRevision === next && isDeepStrictEqual(sideOf(status), { weight, matched, mirror });
        return { callers: world.callers, acknowledged: shown ? world.callers - world.lagging : 0 };
      },
      traffic: (revision, since) => world.traffic.window(revision, since - this.clockOffsetMs),
      usage: (metric, revision) => usageOf(world, metric, revision),
    });
  }
}

/** What is told of the pods of both revisions. */
function usageOf({ deployment, canary, usage }: World, metric: string, revision: string): UsageAnswer {
  const of = (name: string | undefined): RevisionUsage => {
    const share = deployment.truths.get(name ?? '')?.fullness ?? 0;
    return usage === 'none' ? { pods: 1, measured: 1, mean: share / 100, share } : { pods: 1, measured: 0 };
  };
  const problem = usage === 'absent' ? { reason: 'NoMetricsApi', error: 'there is none' } : {};
  return { metric, next: of(revision), stable: of(canary.status?.stableRevision), ...problem };
}

function viewTarget(world: World): TargetView | undefined {
  if (world.deleted) return undefined;
  const { deployment } = world;
  const views = [...deployment.made].map((revision) => viewRevision(world, deployment, revision));
  return targetOf({
    replicas: deployment.replicas,
    pausedBy: deployment.pausedByUser ? 'user' : deployment.wanted.paused ? 'us' : undefined,
    current: [...deployment.made].includes(deployment.template) ? deployment.template : undefined,
    revisions: new Map(views.map((view) => [view.revision, view])),
    rolledOut: deployment.rolledOut(world.now),
    maxSurge: deployment.wanted.maxSurge ?? '25%',
    maxUnavailable: deployment.wanted.maxUnavailable ?? '25%',
    progressDeadlineSeconds: Number(deployment.wanted.progressDeadlineSeconds ?? 600),
  });
}

function viewRevision({ now }: World, deployment: DeploymentModel, revision: string): RevisionView {
  const pods = deployment.of(revision);
  const { ordinal, restartOf } = deployment.truth(revision);
  return {
    revision,
    ordinal,
    replicas: deployment.size(revision),
    ready: pods.filter((pod) => deployment.isReady(pod, now)).length,
    restartFingerprint: restartOf,
    pods: {
      total: pods.length,
      eligible: pods.filter((pod) => deployment.isStarted(pod, now)).length,
      ungated: pods.filter(({ gated }) => !gated).length,
      held: pods.filter(({ gated, open }) => gated && !open).length,
      injected: pods.length,
      restarts: pods.reduce((sum, { restarts }) => sum + restarts, 0),
      broken: undefined,
      trouble: undefined,
    },
  };
}
