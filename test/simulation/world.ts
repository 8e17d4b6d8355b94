import type { CanarySpec } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { Random } from '../fuzz/engine/random.ts';
import { DeploymentModel, type RevisionTruth, type SimulatedPod } from './deployment-model.ts';
import type { Step } from './replica.ts';
import { TrafficModel } from './traffic-model.ts';

/** When a simulation begins, in ms since the epoch. */
const DAWN = Date.UTC(2026, 0, 1);

/** The Canary as the API server has it. */
export interface StoredCanary {
  readonly status: CanaryStatus | undefined;
  readonly resourceVersion: number;
  /** Rises when the Canary is deleted and made again. */
  readonly uid: number;
}

/** A cluster with one Deployment, one Canary and a fake clock. */
export class World {
  readonly random: Random;
  readonly deployment = new DeploymentModel();
  readonly traffic: TrafficModel;
  readonly spec: CanarySpec;
  now = DAWN;
  canary: StoredCanary = { status: undefined, resourceVersion: 1, uid: 1 };
  suspended = false;
  deleted = false;
  webhookIsAway = false;
  requestsPerSecond = 20;
  /** What is amiss with what is told of the pods' use: nothing, nobody tells it, or it lacks pods. */
  usage: 'none' | 'absent' | 'short' = 'none';
  /** Sidecars that call; those that have acknowledged the weight are this less `lagging`. */
  callers = 3;
  /** Hears of each status that was written, also of one whose writer died at it. */
  onStatus: (step: Step) => void = () => {};
  lagging = 0;

  constructor(random: Random, spec: CanarySpec) {
    this.random = random;
    this.spec = spec;
    this.traffic = new TrafficModel(random);
  }

  /** Makes a revision and puts its template into the Deployment. */
  release(truth: Omit<RevisionTruth, 'revision' | 'ordinal' | 'restartOf'>, restartOf?: string): void {
    const ordinal = this.deployment.truths.size + 1;
    const revision = `r${ordinal}`;
    this.deployment.truths.set(revision, { revision, ordinal, ...truth, restartOf: restartOf ?? revision });
    this.deployment.template = revision;
  }

  /** Lets time pass: requests are served by the split in force, then Kubernetes has its turn. */
  pass(ms: number): void {
    this.now += ms;
    if (this.deleted) return;
    this.#serve(ms);
    this.deployment.turn(this.now, (revision) => this.#makePod(revision));
  }

  /** Writes the Canary's status. @returns false when it was changed since `resourceVersion` (409) */
  write(step: Step, uid: number, resourceVersion: number): boolean {
    if (uid !== this.canary.uid || resourceVersion !== this.canary.resourceVersion) return false;
    const plain = JSON.parse(JSON.stringify(step.after)) as CanaryStatus;
    this.canary = { status: plain, resourceVersion: resourceVersion + 1, uid };
    this.onStatus(step);
    return true;
  }

  /** Ready pods of revisions that the Canary has released. */
  get serving(): number {
    const released = this.canary.status?.ungatedRevisions ?? [];
    return this.deployment.pods.filter((pod) => {
      return released.includes(pod.revision) && this.deployment.isReady(pod, this.now);
    }).length;
  }

  #serve(ms: number): void {
    const {
      stableRevision: stable,
      canaryRevision: next,
      weight = 0,
      matched = false,
      mirrorWeight = 0,
    } = this.canary.status ?? {};
    const requests = Math.round((this.requestsPerSecond * ms) / 1000);
    const hasPods =
      next !== undefined && this.deployment.of(next).some((pod) => this.deployment.isStarted(pod, this.now));
    // Whom a match sends to the new revision are a tenth of all.
    const share = weight === 0 && matched ? 10 : weight;
    const toNext = hasPods ? Math.round((requests * share) / 100) : 0;
    if (hasPods && mirrorWeight > 0) this.#serveAs(next, Math.round((requests * mirrorWeight) / 100));
    if (next !== undefined && toNext > 0) this.#serveAs(next, toNext);
    if (stable !== undefined && requests > toNext) this.#serveAs(stable, requests - toNext);
  }

  #serveAs(revision: string, requests: number): void {
    const truth = this.deployment.truths.get(revision);
    if (truth) this.traffic.serve(revision, this.now, requests, truth.errorShare);
  }

  /** As webhook/canary-gate.ts decides. */
  #makePod(revision: string): SimulatedPod {
    const { status } = this.canary;
    const released = status?.ungatedRevisions ?? [];
    const ready = status?.conditions?.find(({ type }) => type === 'TargetReady')?.status === 'True';
    const gated = !this.webhookIsAway && ready && released.length > 0 && !released.includes(revision);
    const { starts } = this.deployment.truth(revision);
    const readyAt = starts ? this.now + 500 + this.random.below(6000) : Number.POSITIVE_INFINITY;
    return { revision, gated, open: false, readyAt, restarts: 0 };
  }
}
