import type { WantedFields } from '../../operator/canary/targets/borrowed-fields.ts';

/** What is true of a revision, whatever anybody measures. */
export interface RevisionTruth {
  readonly revision: string;
  readonly ordinal: number;
  /** Share of its requests that fail, 0 to 1. */
  readonly errorShare: number;
  /** What its pods use, in percent of their limit. */
  readonly fullness: number;
  /** False: its containers never get ready. */
  readonly starts: boolean;
  /** Name of the revision whose template it repeats but for the time of a restart; its own name when none. */
  readonly restartOf: string;
}

export interface SimulatedPod {
  readonly revision: string;
  /** It came with our readiness gate. */
  readonly gated: boolean;
  open: boolean;
  /** When its containers are ready, in ms since the epoch. */
  readyAt: number;
  restarts: number;
}

/** A pod as Kubernetes wants to make it: whether the webhook gives it a gate, and when it starts. */
export type MakePod = (revision: string) => SimulatedPod;

/** The Deployment and its pods, with the Deployment controller's arithmetic (Kubernetes 1.3x, RollingUpdate). */
export class DeploymentModel {
  readonly pods: SimulatedPod[] = [];
  readonly truths = new Map<string, RevisionTruth>();
  replicas = 4;
  pausedByUser = false;
  wanted: WantedFields = {};
  /** Revision of the template. */
  template = '';
  readonly #sizes = new Map<string, number>();
  /** The size that the ReplicaSets were last brought to. */
  scaledTo = 4;

  truth(revision: string): RevisionTruth {
    const found = this.truths.get(revision);
    if (!found) throw new Error(`no revision ${revision}`);
    return found;
  }

  of(revision: string): SimulatedPod[] {
    return this.pods.filter((pod) => pod.revision === revision);
  }

  get maxSurge(): number {
    const percent = Number.parseFloat(String(this.wanted.maxSurge ?? '25%'));
    return Math.ceil((percent * this.replicas) / 100);
  }

  get maxUnavailable(): number {
    const { maxUnavailable } = this.wanted;
    return maxUnavailable === undefined ? Math.floor(this.replicas * 0.25) : Number(maxUnavailable);
  }

  get isPaused(): boolean {
    return this.pausedByUser || this.wanted.paused === true;
  }

  /** All wanted pods are of the template and Ready, and none is left of others. */
  rolledOut(now: number): boolean {
    const current = this.of(this.template);
    const whole = this.pods.length === this.replicas && current.length === this.replicas;
    return whole && current.every((pod) => this.isReady(pod, now));
  }

  isStarted(pod: SimulatedPod, now: number): boolean {
    return pod.readyAt <= now;
  }

  isReady(pod: SimulatedPod, now: number): boolean {
    return this.isStarted(pod, now) && (!pod.gated || pod.open);
  }

  /** Pods that a revision's ReplicaSet is told to have. */
  size(revision: string): number {
    return this.#sizes.get(revision) ?? 0;
  }

  /** Revisions that have a ReplicaSet, the oldest first. */
  get made(): IterableIterator<string> {
    return this.#sizes.keys();
  }

  /** Forgets all pods and ReplicaSets, as when the Deployment is deleted. */
  clear(): void {
    this.#sizes.clear();
    this.pods.length = 0;
  }

  /** One pass of the Deployment controller, then of the ReplicaSets'. */
  turn(now: number, make: MakePod): void {
    if (this.replicas !== this.scaledTo) this.#scale();
    else if (!this.isPaused) this.#roll(now);
    for (const [revision, size] of this.#sizes) this.#fill(revision, size, now, make);
  }

  #roll(now: number): void {
    const total = () => [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    const fresh = this.size(this.template);
    const room = Math.max(0, this.replicas + this.maxSurge - total());
    this.#sizes.set(this.template, fresh > this.replicas ? this.replicas : Math.min(this.replicas, fresh + room));
    const least = this.replicas - this.maxUnavailable;
    const unready = this.size(this.template) - this.#ready(this.template, now);
    let most = total() - least - unready;
    const old = [...this.#sizes.keys()].filter((revision) => revision !== this.template);
    // Pods of old revisions that are not Ready go first, then those that are, as long as enough are Ready.
    for (const revision of old)
      most -= this.#shrink(revision, Math.min(most, this.size(revision) - this.#ready(revision, now)));
    let spare = [...this.#sizes.keys()].reduce((sum, revision) => sum + this.#ready(revision, now), 0) - least;
    for (const revision of old) {
      const gone = this.#shrink(revision, Math.min(most, spare));
      most -= gone;
      spare -= gone;
    }
  }

  /** A change of the size goes to all ReplicaSets in proportion, what is left over to the largest; a paused rollout is scaled too. */
  #scale(): void {
    this.scaledTo = this.replicas;
    const active = [...this.#sizes].filter(([, size]) => size > 0).sort(([, a], [, b]) => b - a);
    if (active.length < 2) {
      this.#sizes.set(active[0]?.[0] ?? this.template, this.replicas);
      return;
    }
    const total = active.reduce((sum, [, size]) => sum + size, 0);
    const allowed = this.replicas > 0 ? this.replicas + this.maxSurge : 0;
    let left = allowed - total;
    for (const [revision, size] of active) {
      const share = Math.round((size * allowed) / total) - size;
      const change = left > 0 ? Math.min(left, Math.max(0, share)) : Math.max(left, Math.min(0, share));
      this.#sizes.set(revision, Math.max(0, size + change));
      left -= change;
    }
    const [largest] = active;
    if (largest) this.#sizes.set(largest[0], Math.max(0, this.size(largest[0]) + left));
  }

  #shrink(revision: string, by: number): number {
    const gone = Math.max(0, Math.min(by, this.size(revision)));
    this.#sizes.set(revision, this.size(revision) - gone);
    return gone;
  }

  #fill(revision: string, size: number, now: number, make: MakePod): void {
    const pods = this.of(revision).sort((a, b) => Number(this.isReady(a, now)) - Number(this.isReady(b, now)));
    for (const pod of pods.slice(0, Math.max(0, pods.length - size))) this.pods.splice(this.pods.indexOf(pod), 1);
    for (let i = pods.length; i < size; i++) this.pods.push(make(revision));
  }

  #ready(revision: string, now: number): number {
    return this.of(revision).filter((pod) => this.isReady(pod, now)).length;
  }
}
