import type { CanaryStatus } from '../../api/canary-status.ts';
import { describeSide, sideOf } from '../../operator/canary/side.ts';
import type { Step } from './replica.ts';
import type { World } from './world.ts';

/** From this share of errors on a revision must never be released: two windows of ten requests pass it once in 10^8. */
export const BAD_SHARE = 0.6;

/** What an analysis allows pods to use, in percent of their limit; more must never be released by one that looks at it. */
export const FULL = 80;

/** Watches a simulation for what must never be. */
export class Judge {
  readonly #world: World;
  /** Revisions that came to be released in a way that is right. */
  readonly #rightly = new Set<string>();
  promotions = 0;
  failures = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** A revision that may be released, whatever is true of it. */
  excuse(revision: string): void {
    this.#rightly.add(revision);
  }

  /**
   * Looks at one written step.
   * @throws Error saying what is wrong with it
   */
  seeStep({ before, after, events }: Step): void {
    this.#seeReleases(
      before,
      after,
      events.map(({ reason, message }) => `${reason}: ${message}`),
    );
    explain(after);
    const had = new Set(before?.ungatedRevisions ?? []);
    if (after.phase === 'Failed' && before?.phase !== 'Failed') this.failures++;
    if (after.phase === 'Succeeded' && before?.phase !== 'Succeeded') this.promotions++;
    const { phase = '', canaryRevision } = after;
    const { weight, matched, mirror } = sideOf(after);
    if (phase === 'Failed' && (weight > 0 || matched || mirror > 0)) {
      throw new Error(`a failed revision gets ${describeSide({ weight, matched, mirror })}`);
    }
    if (
      phase === 'Failed' &&
      after.ungatedRevisions?.includes(canaryRevision ?? '') &&
      !had.has(canaryRevision ?? '')
    ) {
      throw new Error(`the failed revision ${canaryRevision} is released`);
    }
  }

  /**
   * Looks at what Kubernetes did in its turn: while a revision is tried, nothing that serves is taken away.
   * @param before Ready pods of released revisions before it
   * @param replicas wanted when Kubernetes last had its turn
   */
  seeTurn(before: number, replicas: number): void {
    const { serving, deployment, canary } = this.#world;
    const { canaryRevision, conditions = [] } = canary.status ?? {};
    const isPrepared = conditions.some(({ type, status }) => type === 'TargetReady' && status === 'True');
    const ungated = deployment.pods.some(({ gated, revision }) => !gated && !this.#isReleased(revision));
    // A change of the size goes to all ReplicaSets in proportion: that is Kubernetes' own.
    if (!isPrepared || canaryRevision === undefined || ungated || replicas !== deployment.replicas) return;
    if (serving < Math.min(before, replicas)) {
      throw new Error(`${serving} pods serve where ${before} did and ${deployment.replicas} are wanted`);
    }
  }

  #isReleased(revision: string): boolean {
    return this.#world.canary.status?.ungatedRevisions?.includes(revision) ?? false;
  }

  #seeReleases(before: CanaryStatus | undefined, after: CanaryStatus, events: readonly string[]): void {
    const had = new Set(before?.ungatedRevisions ?? []);
    for (const revision of after.ungatedRevisions ?? []) {
      if (had.has(revision)) continue;
      const truth = this.#world.deployment.truth(revision);
      const isFull =
        truth.fullness > FULL && this.#world.spec.analysis.metrics.some(({ name }) => name === 'cpu-usage');
      const isBad = truth.errorShare >= BAD_SHARE || isFull || !truth.starts;
      if (!isBad || this.#rightly.has(revision) || this.#mayGoUntried(revision, before, events)) {
        this.#rightly.add(revision);
        continue;
      }
      throw new Error(
        `revision ${revision}, of whose requests ${truth.errorShare * 100} % fail and which is ${truth.fullness} % full, is released: ${events}`,
      );
    }
  }

  /** A revision may be released untried where it was released before, where holding it back would be an outage, or where nothing held it. */
  #mayGoUntried(revision: string, before: CanaryStatus | undefined, events: readonly string[]): boolean {
    const { deployment, now } = this.#world;
    const truth = deployment.truth(revision);
    const others = deployment.pods.filter((pod) => pod.revision !== revision && deployment.isReady(pod, now));
    const isRestart = [...this.#rightly].some((other) => deployment.truth(other).restartOf === truth.restartOf);
    const cameUngated = deployment.of(revision).some(({ gated }) => !gated);
    const isAlone = others.length === 0 || deployment.replicas === 0;
    const isFirst = before?.stableRevision === undefined && (this.#rightly.size === 0 || cameUngated);
    // Before the target is prepared its rollouts are Kubernetes' own.
    const isPrepared = before?.conditions?.some(({ type, status }) => type === 'TargetReady' && status === 'True');
    const isHeld = deployment.of(revision).some(({ gated, open }) => gated && !open);
    return (
      isRestart ||
      cameUngated ||
      isAlone ||
      isFirst ||
      !(isPrepared || isHeld) ||
      events.some((event) => event.startsWith('Unanalysed'))
    );
  }
}

/** Whatever state a Canary is in, it says why. */
function explain({ phase, conditions = [], verdict }: CanaryStatus): void {
  const said = (type: string) => conditions.find((condition) => condition.type === type);
  if (phase === undefined) throw new Error('no phase');
  for (const { type, reason, message } of conditions) {
    if (!reason || !message) throw new Error(`condition ${type} says nothing`);
  }
  if (phase === 'Waiting' && said('Waiting')?.status !== 'True') throw new Error('waits, and does not say for what');
  if (phase === 'Waiting' && verdict !== said('Waiting')?.reason) throw new Error(`verdict ${verdict} while it waits`);
  if (phase === 'Failed' && said('Failed')?.status !== 'True') throw new Error('failed, and does not say why');
  if (phase !== 'Failed' && said('Failed')?.status === 'True') throw new Error(`says Failed in phase ${phase}`);
}
