import { isDeepStrictEqual } from 'node:util';
import type { Canary } from '../../api/canary.ts';
import type { CanaryStatus } from '../../api/canary-status.ts';
import type { ReconcileResult } from '../../kube/controller.ts';
import { isConflict, isNotFound } from '../../kube/kube-error.ts';
import { borrowing } from './borrowed-fields.ts';
import { applyBorrowing, openGates, writeStatus } from './effects.ts';
import { type Pod, revisionOfPod } from './objects.ts';
import { observe } from './observe.ts';
import { nextStatus } from './phase-machine.ts';
import { isHeld } from './pods.ts';
import type { CanaryDependencies } from './ports.ts';
import type { TargetIndex } from './target-index.ts';
import { wantedFields } from './wanted-fields.ts';

const CONFLICT_RETRY_MS = 50;

/** Takes one target after the other a step on. All it keeps is what it wrote last, to see past a stale store. */
export class CanaryReconciler {
  readonly #deps: CanaryDependencies;
  readonly #index: TargetIndex;
  readonly #written = new Map<string, Canary>();

  constructor(deps: CanaryDependencies, index: TargetIndex) {
    this.#deps = deps;
    this.#index = index;
  }

  /** @param key of the target Deployment, `namespace/name` */
  async reconcile(key: string): Promise<ReconcileResult | undefined> {
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

  /** Opens all gates of a Deployment and gives back what was borrowed of it. */
  async letGo(key: string): Promise<void> {
    await this.#openGates(key, undefined);
    const deployment = this.#index.stores.deployments.get(key);
    const body = deployment && borrowing(deployment, {});
    if (deployment && body) {
      await applyBorrowing(this.#deps.api, deployment, body);
      this.#deps.logger.info('borrowed fields given back', { deployment: key });
    }
  }

  /** Opens the gate of a pod that belongs to no Deployment. */
  async releaseOrphan(podKey: string): Promise<void> {
    const pod = this.#index.stores.pods.get(podKey);
    if (!pod || !isHeld(pod) || this.#index.targetOfPod(pod) || !this.#deps.isLeader()) return;
    await openGates(this.#deps.api, [pod], this.#now());
  }

  forget(uid: string | undefined): void {
    if (uid !== undefined) this.#written.delete(uid);
  }

  async #step(stored: Canary, key: string, rival: string | undefined): Promise<ReconcileResult | undefined> {
    const canary = this.#newest(stored);
    const observation = observe(canary, key, rival, this.#index, this.#deps);
    const { status, events, requeueAfterMs } = nextStatus(canary.status, observation);
    // What was released before must not wait for a write that may fail.
    const released = new Set(canary.status?.ungatedRevisions ?? []);
    if (rival === undefined) await this.#openGates(key, released);
    if (!this.#deps.isLeader()) return undefined;
    if (!isDeepStrictEqual(plain(status), plain(canary.status))) {
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
    for (const event of events) this.#deps.event(canary, event);
    if (rival !== undefined) return undefined;
    const fresh = status.ungatedRevisions?.filter((revision) => !released.has(revision));
    if (fresh?.length) await this.#openGates(key, new Set(fresh));
    await this.#borrow(key, wantedFields(status, observation));
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  /** @param listed revisions whose gates open; undefined: all */
  async #openGates(key: string, listed: ReadonlySet<string> | undefined): Promise<void> {
    if (!this.#deps.isLeader()) return;
    const deployment = this.#index.stores.deployments.get(key);
    const held: Pod[] = [];
    for (const replicaSet of this.#index.replicaSetsOf(key, deployment)) {
      for (const pod of this.#index.podsOf(replicaSet)) {
        const open = listed === undefined || listed.has(revisionOfPod(pod));
        if (open && isHeld(pod) && pod.metadata?.deletionTimestamp === undefined) held.push(pod);
      }
    }
    await openGates(this.#deps.api, held, this.#now());
  }

  async #borrow(key: string, wanted: ReturnType<typeof wantedFields>): Promise<void> {
    const deployment = this.#index.stores.deployments.get(key);
    if (!deployment || !wanted || !this.#deps.isLeader()) return;
    const body = borrowing(deployment, wanted);
    if (body) await applyBorrowing(this.#deps.api, deployment, body);
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

/** As it looks on the wire. */
function plain(status: CanaryStatus | undefined): unknown {
  return JSON.parse(JSON.stringify(status ?? {}));
}
