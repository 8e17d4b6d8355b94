import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { observationOf, specOf, traffic } from '../observation.fixture.ts';
import { nextStatus } from '../phase-machine.ts';
import { FIELD_MANAGER } from './borrowed-fields.ts';
import { statefulSet } from './stateful-set.ts';
import { TargetIndex } from './target-index.ts';
import { controllerRevisionOf, emptyStores, podOf, statefulSetOf } from './targets.fixture.ts';

interface ModelPod {
  readonly revision: string;
  readonly gated: boolean;
  open: boolean;
  up: boolean;
}

/** A cluster with one StatefulSet, its controller as it was seen to behave (kube-controller-manager 1.36), our webhook and our operator. */
export class StatefulSetModel {
  readonly pods = new Map<number, ModelPod>();
  replicas = 3;
  partition = 0;
  template = 'good0';
  status: CanaryStatus = {};
  now = Date.UTC(2026, 0, 1);
  readonly #ordered: boolean;
  readonly #ordinals = new Map<string, number>();
  #current = 'good0';
  /** The specification that the controller saw last. */
  #observed = '';

  constructor(ordered: boolean) {
    this.#ordered = ordered;
    this.release('good0');
    for (let i = 0; i < this.replicas; i++)
      this.pods.set(i, { revision: 'good0', gated: false, open: false, up: true });
  }

  release(template: string): void {
    this.template = template;
    this.#ordinals.set(template, Math.max(0, ...this.#ordinals.values()) + 1);
  }

  evict(number: number): void {
    this.pods.delete(number);
  }

  /** Kubelet has the containers of all pods up. */
  start(): void {
    for (const pod of this.pods.values()) pod.up = true;
  }

  /** One pass of the StatefulSet's controller. */
  reconcile(): void {
    this.#observed = this.#specified();
    const last = Math.max(...this.pods.keys(), -1);
    if (last >= this.replicas) {
      this.pods.delete(last);
      return;
    }
    for (let i = 0; i < this.replicas; i++) {
      const pod = this.pods.get(i);
      if (!pod) this.#create(i);
      if (this.#ordered && !(pod && isReady(pod))) return;
    }
    for (let i = this.replicas - 1; i >= this.partition; i--) {
      const pod = this.pods.get(i);
      if (pod && pod.revision !== this.template) this.pods.delete(i);
      if (!pod || pod.revision !== this.template || !isReady(pod)) return;
    }
    if (this.partition === 0) this.#current = this.template;
  }

  #create(number: number): void {
    const old = [...this.pods.values()].filter(({ revision }) => revision === this.#current).length;
    const isOld = number < this.partition || (this.partition === 0 && number < old);
    const revision = isOld ? this.#current : this.template;
    const ready = this.status.conditions?.some(({ type, status }) => type === 'TargetReady' && status === 'True');
    const gated = ready === true && !this.status.ungatedRevisions?.includes(name(revision));
    this.pods.set(number, { revision, gated, open: false, up: false });
  }

  /** One step of the operator. Revisions whose name begins with `bad` fail. */
  operate(): void {
    const index = this.#index();
    const target = index.target(KEY);
    if (!target) throw new Error('no target');
    const view = statefulSet.view(target, KEY, index);
    const observation = observationOf(view, {
      now: this.now,
      spec: specOf(
        { stepWeights: [10, 50] },
        { targetRef: { kind: 'StatefulSet', name: 'ordering' }, progressDeadlineSeconds: 3600 },
      ),
      traffic: (revision) => traffic(1000, revision.startsWith(name('bad')) ? 1000 : 0),
    });
    this.status = nextStatus(this.status, observation).status;
    for (const pod of this.pods.values()) {
      if (this.status.ungatedRevisions?.includes(name(pod.revision))) pod.open = true;
    }
    const inTheWay = statefulSet.inTheWay(this.status, target, index.podsOfTarget(KEY));
    const wanted = this.status.stableRevision ? statefulSet.wanted(this.status, observation, view) : {};
    this.partition = wanted.paused ? 2 ** 31 - 1 : Number(wanted.partition ?? 0);
    for (const { metadata } of inTheWay) this.pods.delete(Number(metadata?.name?.split('-')[1]));
  }

  /** Revisions that serve everybody, by pod. */
  serving(): string[] {
    return [...this.pods.values()].filter(isReady).map(({ revision }) => revision);
  }

  #specified(): string {
    return [this.replicas, this.partition, this.template].join();
  }

  #index(): TargetIndex {
    const stores = emptyStores();
    const index = new TargetIndex(stores);
    for (const [revision, ordinal] of this.#ordinals) {
      stores.controllerRevisions.set(controllerRevisionOf('StatefulSet', revision, ordinal));
    }
    const all = [...this.pods.values()];
    const object = statefulSetOf(this.template, {
      spec: { replicas: this.replicas, updateStrategy: { rollingUpdate: { partition: this.partition } } },
      status: {
        observedGeneration: this.#observed === this.#specified() ? 2 : 1,
        replicas: all.length,
        updatedReplicas: all.filter(({ revision }) => revision === this.template).length,
        availableReplicas: all.filter(isReady).length,
      },
    });
    const partition = { 'f:updateStrategy': { 'f:rollingUpdate': { 'f:partition': {} } } };
    if (this.partition > 0 && object.metadata) {
      object.metadata.annotations = { [BORROWED_ANNOTATION]: '{}' };
      object.metadata.managedFields = [
        { manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: { 'f:spec': partition } },
      ];
    }
    stores.statefulSets.set(object);
    for (const [number, { revision, gated, open, up }] of this.pods) {
      const pod = podOf(
        'StatefulSet',
        `ordering-${number}`,
        name(revision),
        gated ? (open ? 'open' : 'shut') : undefined,
      );
      if (!up && pod.status) pod.status.conditions = [];
      stores.pods.set(pod);
    }
    return index;
  }
}

const KEY = 'shop/StatefulSet/ordering';

/** A StatefulSet's pods bear the whole name of the ControllerRevision. */
export function name(revision: string): string {
  return `ordering-${revision}`;
}

function isReady({ gated, open, up }: ModelPod): boolean {
  return up && (!gated || open);
}
