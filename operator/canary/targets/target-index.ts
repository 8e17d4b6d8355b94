import { objectKey } from '../../../kube/object.ts';
import {
  type ControllerRevision,
  controllerOf,
  type Deployment,
  ownerUid,
  type Pod,
  REVISION_LABEL,
  type ReplicaSet,
  type Service,
  type Target,
} from '../objects.ts';
import type { CanaryStores } from '../ports.ts';
import type { Autoscaler } from './autoscaler.ts';
import { keyOfTarget, readTargetKey, targetKey, targetOfCanary } from './target-key.ts';

const BY_TARGET = 'canary/target';
const BY_LABEL = 'canary/label';
const BY_OWNER = 'canary/owner';
const BY_SELECTOR = 'canary/selector';

/** Kinds whose pods are owned by them, without a ReplicaSet in between. */
const DIRECT_OWNERS: readonly string[] = ['StatefulSet', 'DaemonSet'];

/** Finds what belongs to a target. Targets go by their key, `namespace/Kind/name`. */
export class TargetIndex {
  readonly stores: CanaryStores;

  constructor(stores: CanaryStores) {
    this.stores = stores;
    stores.canaries.addIndex(BY_TARGET, (canary) => [targetOfCanary(canary)]);
    stores.replicaSets.addIndex(BY_OWNER, (replicaSet) => asList(targetOfRevision(replicaSet)));
    stores.controllerRevisions.addIndex(BY_OWNER, (revision) => asList(targetOfRevision(revision)));
    stores.pods.addIndex(BY_OWNER, (pod) => asList(ownerUid(pod, 'ReplicaSet') ?? directTarget(pod)));
    stores.autoscalers.addIndex(BY_TARGET, ({ metadata, spec: { scaleTargetRef: { kind = '', name } = {} } = {} }) => [
      targetKey(metadata?.namespace, kind, name),
    ]);
    for (const store of [stores.deployments, stores.statefulSets, stores.daemonSets]) {
      store.addIndex(BY_LABEL, labelValues);
    }
    stores.services.addIndex(BY_SELECTOR, ({ metadata, spec }) =>
      Object.entries(spec?.selector ?? {})
        .slice(0, 1)
        .map((pair) => labelValue(metadata?.namespace, pair)),
    );
  }

  /** The target itself; undefined when it is not there. */
  target(key: string): Target | undefined {
    const { kind, objectKey: name } = readTargetKey(key);
    return this.#targets(kind)?.get(name);
  }

  /** All objects that are, or could be, targets, each with its key. */
  *targets(): Generator<readonly [string, Target]> {
    for (const kind of ['Deployment', ...DIRECT_OWNERS]) {
      for (const target of this.#targets(kind)?.list() ?? []) {
        yield [keyOfTarget(kind, target), target];
      }
    }
  }

  /** Canaries of a target, the oldest first; those that are being deleted are left out. */
  canariesOf(key: string) {
    return this.stores.canaries
      .byIndex(BY_TARGET, key)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => age(a.metadata).localeCompare(age(b.metadata)));
  }

  /** ReplicaSets of a Deployment. Those of a namesake that was deleted before are left out once its successor is there. */
  replicaSetsOf(key: string, deployment: Deployment | undefined): readonly ReplicaSet[] {
    return ofOwner(this.stores.replicaSets.byIndex(BY_OWNER, key), deployment);
  }

  /** ControllerRevisions of a StatefulSet or DaemonSet, without those of a namesake, too. */
  controllerRevisionsOf(key: string, target: Target | undefined): readonly ControllerRevision[] {
    return ofOwner(this.stores.controllerRevisions.byIndex(BY_OWNER, key), target);
  }

  podsOf(replicaSet: ReplicaSet): readonly Pod[] {
    return this.stores.pods.byIndex(BY_OWNER, replicaSet.metadata?.uid ?? '');
  }

  /** Pods of a target, of all its revisions. */
  podsOfTarget(key: string): readonly Pod[] {
    const target = this.target(key);
    if (DIRECT_OWNERS.includes(readTargetKey(key).kind)) {
      return ofOwner(this.stores.pods.byIndex(BY_OWNER, key), target);
    }
    return this.replicaSetsOf(key, target).flatMap((replicaSet) => this.podsOf(replicaSet));
  }

  /** Services whose selector matches the labels of the target's template. */
  servicesOf(target: Target): readonly Service[] {
    // What selects it has the first of its labels among the target's.
    return labelValues(target)
      .flatMap((label) => this.stores.services.byIndex(BY_SELECTOR, label))
      .filter(({ spec }) => spec?.type !== 'ExternalName' && matches(Object.entries(spec?.selector ?? {}), target));
  }

  /** Keys of all that could be targets and whose pods a Service selects. */
  selectedBy({ metadata, spec }: Service): string[] {
    const selector = Object.entries(spec?.selector ?? {});
    return ['Deployment', ...DIRECT_OWNERS].flatMap((kind) => {
      const found = selector.map(
        (pair) => this.#targets(kind)?.byIndex(BY_LABEL, labelValue(metadata?.namespace, pair)) ?? [],
      );
      const [fewest = []] = found.sort((a, b) => a.length - b.length);
      return fewest.filter((target) => matches(selector, target)).map((target) => keyOfTarget(kind, target));
    });
  }

  /** What scales a target; undefined when nothing does. */
  autoscalerOf(key: string): Autoscaler | undefined {
    return this.stores.autoscalers.byIndex(BY_TARGET, key)[0];
  }

  /** Key of the target that a pod belongs to; undefined when it belongs to none. */
  targetOfPod(pod: Pod): string | undefined {
    const owner = controllerOf(pod);
    if (owner?.kind !== 'ReplicaSet') return directTarget(pod);
    const replicaSet = this.stores.replicaSets.get(`${pod.metadata?.namespace}/${owner.name}`);
    if (replicaSet) return targetOfRevision(replicaSet);
    // The ReplicaSet's event may come after the pod's; its name tells as well.
    const suffix = `-${pod.metadata?.labels?.[REVISION_LABEL]}`;
    return owner.name.endsWith(suffix)
      ? targetKey(pod.metadata?.namespace, 'Deployment', owner.name.slice(0, -suffix.length))
      : undefined;
  }

  /** Keys of all targets of Canaries in a namespace. */
  targetsIn(namespace: string): string[] {
    const keys = [...this.stores.canaries.list()].map(targetOfCanary);
    return [...new Set(keys)].filter((key) => readTargetKey(key).namespace === namespace);
  }

  #targets(kind: string) {
    const { deployments, statefulSets, daemonSets } = this.stores;
    return { Deployment: deployments, StatefulSet: statefulSets, DaemonSet: daemonSets }[kind];
  }
}

/** Key of the target whose revision this ReplicaSet or ControllerRevision is. */
export function targetOfRevision(revision: ReplicaSet | ControllerRevision): string | undefined {
  const owner = controllerOf(revision);
  if (owner?.kind !== 'Deployment' && !DIRECT_OWNERS.includes(owner?.kind ?? '')) return undefined;
  return owner && targetKey(revision.metadata?.namespace, owner.kind, owner.name);
}

function directTarget(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  if (!owner || !DIRECT_OWNERS.includes(owner.kind)) return undefined;
  return targetKey(pod.metadata?.namespace, owner.kind, owner.name);
}

/** Leaves out what belongs to a namesake of the owner. */
function ofOwner<T extends Pod | ReplicaSet | ControllerRevision>(owned: readonly T[], owner: Target | undefined) {
  const uid = owner?.metadata?.uid;
  return uid === undefined ? owned : owned.filter((object) => controllerOf(object)?.uid === uid);
}

function labelsOf(target: Target): Readonly<Record<string, string>> {
  return target.spec?.template?.metadata?.labels ?? {};
}

function matches(selector: readonly (readonly [string, string])[], target: Target): boolean {
  const labels = labelsOf(target);
  return selector.every(([name, value]) => labels[name] === value);
}

function labelValues(target: Target): string[] {
  return Object.entries(labelsOf(target)).map((pair) => labelValue(target.metadata?.namespace, pair));
}

function labelValue(namespace: string | undefined, [name, value]: readonly [string, string]): string {
  return `${namespace ?? ''}/${name}=${value}`;
}

function asList(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function age(metadata: { creationTimestamp?: string; name: string; namespace: string }): string {
  return `${metadata.creationTimestamp ?? '~'} ${objectKey({ metadata })}`;
}
