import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { ReconcileResult } from '../../kube/controller.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import { removeCommand } from './command-annotation.ts';
import { applyBorrowing, deletePods, openGates, scaleDown, writeStatus } from './effects.ts';
import { revisionOfPod } from './objects.ts';
import type { Coverage, Observation } from './observation.ts';
import { observe } from './observe.ts';
import { nextStatus } from './phase-machine.ts';
import { isHeld } from './pods.ts';
import type { CanaryDependencies } from './ports.ts';
import { isSameOnWire } from './same-on-wire.ts';
import { borrowing, type WantedFields } from './targets/borrowed-fields.ts';
import { targetKind } from './targets/registry.ts';
import type { TargetIndex } from './targets/target-index.ts';
import { readTargetKey } from './targets/target-key.ts';
import { wantedFields } from './targets/wanted-fields.ts';
import { templateQuestions } from './template-question.ts';
import { UsageWatch } from './usage-watch.ts';

const CONFLICT_RETRY_MS = 50;

/** Takes one target after the other a step on. All it keeps is what it wrote last, to see past a stale store, and which of them wait for sidecars. */
export class CanaryReconciler {
  readonly #deps: CanaryDependencies;
  readonly #index: TargetIndex;
  readonly #usage: UsageWatch;
  readonly #written = new Map<string, Canary>();
  readonly #awaiting = new Map<string, Coverage['isWorthAsking']>();

  constructor(deps: CanaryDependencies, index: TargetIndex) {
    this.#deps = deps;
    this.#index = index;
    this.#usage = new UsageWatch(deps.usage);
  }

  /**
   * Keys of the targets whose last step asked what sidecars have acknowledged, and to which it may make a difference.
   * @param uids of the pods whose sidecars have acknowledged something
   */
  *awaiting(uids: ReadonlySet<string>): Iterable<string> {
    for (const [key, isWorthAsking] of this.#awaiting) if (isWorthAsking?.(uids) !== false) yield key;
  }

  /** @param key of the target, `namespace/Kind/name` */
  async reconcile(key: string): Promise<ReconcileResult | undefined> {
    this.#awaiting.delete(key);
    if (!this.#deps.isLeader()) return undefined;
    const [first, ...others] = this.#index.canariesOf(key);
    if (!first) {
      await this.letGo(key);
      return undefined;
    }
    const result = await this.#step(first, key, undefined);
    for (const other of others) await this.#step(other, key, first.metadata.name);
    return result;
  }

  /** Opens all gates of a target and gives back what was borrowed of it. */
  async letGo(key: string): Promise<void> {
    await this.#openGates(key, undefined);
    if (await this.#borrow(key, {})) this.#deps.logger.info('borrowed fields given back', { target: key });
  }

  /** Opens the gate of a pod that belongs to no target. */
  async releaseOrphan(podKey: string): Promise<void> {
    const pod = this.#index.stores.pods.get(podKey);
    if (!pod || !isHeld(pod) || this.#index.targetOfPod(pod) || !this.#deps.isLeader()) return;
    await openGates(this.#deps.api, [pod], this.#now());
  }

  forget(uid: string | undefined): void {
    if (uid === undefined) return;
    this.#written.delete(uid);
    this.#deps.hooks.forget(uid);
    this.#deps.templates.want(uid, '', []);
    this.#usage.forget(uid);
  }

  async #step(stored: Canary, key: string, rival: string | undefined): Promise<ReconcileResult | undefined> {
    const canary = this.#newest(stored);
    const observed = observe(canary, key, rival, this.#index, this.#deps, this.#usage);
    const awaited = (found: Coverage): Coverage => {
      this.#awaiting.set(key, found.isWorthAsking);
      return found;
    };
    const { coverage, addressed } = observed;
    const observation: Observation = {
      ...observed,
      coverage: (next, side) => awaited(coverage(next, side)),
      ...(addressed && { addressed: (next) => awaited(addressed(next)) }),
    };
    const { status, events, hooks, requeueAfterMs, dueAfterMs } = nextStatus(canary.status, observation);
    // What was released before must not wait for a write that may fail.
    const released = new Set(canary.status?.ungatedRevisions ?? []);
    if (rival === undefined) await this.#openGates(key, released);
    if (!this.#deps.isLeader()) return undefined;
    if (!isSameOnWire(status, canary.status ?? {})) {
      try {
        this.#remember(await writeStatus(this.#deps.api, canary, status));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        if (isConflict(error)) return { requeueAfterMs: CONFLICT_RETRY_MS };
        throw error;
      }
      if (status.phase !== canary.status?.phase || status.weight !== canary.status?.weight) {
        const { phase, weight, verdict } = status;
        this.#deps.logger.info('canary changed', {
          canary: `${canary.metadata.namespace}/${canary.metadata.name}`,
          phase,
          weight,
          verdict,
        });
      }
    }
    for (const event of events) {
      this.#deps.event(canary, event);
      this.#deps.alerts.send({ ...canary, status }, event);
      this.#deps.hooks.tell({ ...canary, status }, observation.spec?.analysis.webhooks ?? [], event);
    }
    this.#deps.hooks.want(canary, key, hooks);
    if (rival === undefined) {
      const questions = templateQuestions(canary, observation.spec, status, observation.services);
      this.#deps.templates.want(canary.metadata.uid ?? '', key, questions);
      if (status.stepStartTime === undefined) this.#usage.forget(canary.metadata.uid ?? '');
      const fresh = status.ungatedRevisions?.filter((revision) => !released.has(revision));
      if (fresh?.length) await this.#openGates(key, new Set(fresh));
      const wanted = wantedFields(status, observation);
      if (wanted) await this.#borrow(key, wanted);
      await this.#clearTheWay(key, status, observation);
    }
    // Last: admission has a say in it, and may be away.
    const removed = await removeCommand(this.#deps.api, this.#newest({ ...canary, status }));
    if (removed) this.#remember(removed);
    if (requeueAfterMs === undefined || rival !== undefined) return undefined;
    return dueAfterMs === undefined ? { requeueAfterMs } : { requeueAfterMs, dueAfterMs };
  }

  /** @param listed revisions whose gates open; undefined: all */
  async #openGates(key: string, listed: ReadonlySet<string> | undefined): Promise<void> {
    if (!this.#deps.isLeader()) return;
    const held = this.#index.podsOfTarget(key).filter((pod) => {
      const open = listed === undefined || listed.has(revisionOfPod(pod));
      return open && isHeld(pod) && pod.metadata?.deletionTimestamp === undefined;
    });
    await openGates(this.#deps.api, held, this.#now());
  }

  /** Gives whether there was anything to do. */
  async #borrow(key: string, wanted: WantedFields): Promise<boolean> {
    const target = this.#index.target(key);
    const { borrowable, resource } = targetKind(readTargetKey(key).kind);
    if (!target || !borrowing(target, wanted, borrowable) || !this.#deps.isLeader()) return false;
    await applyBorrowing(this.#deps.api, resource, borrowable, target, wanted);
    return true;
  }

  /** Deletes held pods that the target's controller would wait for in vain, and puts those away that would work on. */
  async #clearTheWay(key: string, status: CanaryStatus, observation: Observation): Promise<void> {
    const target = this.#index.target(key);
    if (!target) return;
    const kind = targetKind(readTargetKey(key).kind);
    for (const replicaSet of kind.leftWorking(status, observation, target, key, this.#index)) {
      if (!this.#deps.isLeader()) return;
      this.#deps.logger.info('pods that were given up are put away', { target: key, from: replicaSet.metadata?.name });
      await scaleDown(this.#deps.api, replicaSet);
    }
    const pods = kind.inTheWay(status, target, this.#index.podsOfTarget(key));
    if (pods.length === 0 || !this.#deps.isLeader()) return;
    this.#deps.logger.info('held pods deleted', { target: key, pods: pods.map(({ metadata }) => metadata?.name) });
    await deletePods(this.#deps.api, pods);
  }

  /** The store may lag behind our own last write, and an old status would be gone on from. */
  #newest(stored: Canary): Canary {
    const written = this.#written.get(stored.metadata.uid ?? '');
    const age = (canary: Canary | undefined) => Number(canary?.metadata.resourceVersion ?? Number.NaN);
    return written && age(written) > age(stored) ? written : stored;
  }

  #remember(canary: Canary): void {
    if (canary.metadata.uid !== undefined) this.#written.set(canary.metadata.uid, canary);
  }

  #now(): string {
    return new Date((this.#deps.now ?? Date.now)()).toISOString();
  }
}
