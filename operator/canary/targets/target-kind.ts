import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { ResourceKind } from '../../../kube/resource-kind.ts';
import type { Pod, ReplicaSet, Target } from '../objects.ts';
import type { Observation, TargetView } from '../observation.ts';
import type { BorrowableFields, WantedFields } from './borrowed-fields.ts';
import type { Check } from './target-fitness.ts';
import type { TargetIndex } from './target-index.ts';

/** What a Canary does with targets of one kind, each of which has its own truth about capacity. */
export interface TargetKind<T extends Target = Target> {
  readonly resource: ResourceKind;
  readonly borrowable: BorrowableFields;
  /** Checks that hold at any time: without them new pods cannot be held back without harm. */
  readonly always: readonly Check[];
  /** Checks made while nothing is being released. */
  readonly atRest: readonly Check[];
  /** @param key `namespace/Kind/name` */
  view(target: T, key: string, index: TargetIndex): TargetView;
  /** What the kind, and the user's own settings, cost, in sentences; empty when nothing. */
  costs(target: TargetView): string[];
  /**
   * What the operator wants of the target's rollout at this point; `{}` gives everything back.
   * @param status as just written, with a stable revision
   */
  wanted(status: CanaryStatus, observation: Observation, target: TargetView): WantedFields;
  /**
   * Pods with a shut gate that the kind's controller would wait for and never get: they are deleted.
   * @param status as just written
   */
  inTheWay(status: CanaryStatus, target: T, pods: readonly Pod[]): readonly Pod[];
  /**
   * ReplicaSets of a revision that was given up whose pods work on though nothing is sent to them, as those of a worker: they are scaled to 0.
   * @param status as just written
   */
  leftWorking(
    status: CanaryStatus,
    observation: Observation,
    target: T,
    key: string,
    index: TargetIndex,
  ): readonly ReplicaSet[];
}
