import { objectKey, splitKey } from '../../kube/object.ts';
import { type Deployment, ownerUid, type Pod, REVISION_LABEL, type ReplicaSet, type Service } from './objects.ts';
import type { CanaryStores } from './ports.ts';

const BY_TARGET = 'canary/target';
const BY_OWNER = 'canary/owner';
const BY_NAMESPACE = 'canary/namespace';

/** Finds what belongs to a target. Targets go by the key of the Deployment, `namespace/name`. */
export class TargetIndex {
  readonly stores: CanaryStores;

  constructor(stores: CanaryStores) {
    this.stores = stores;
    stores.canaries.addIndex(BY_TARGET, ({ metadata, spec }) => [`${metadata.namespace}/${spec?.targetRef?.name}`]);
    stores.replicaSets.addIndex(BY_OWNER, (replicaSet) => asList(targetOfReplicaSet(replicaSet)));
    stores.pods.addIndex(BY_OWNER, (pod) => asList(ownerUid(pod, 'ReplicaSet')));
    stores.services.addIndex(BY_NAMESPACE, ({ metadata }) => [metadata?.namespace ?? '']);
  }

  /** Canaries of a target, the oldest first; those that are being deleted are left out. */
  canariesOf(key: string) {
    return this.stores.canaries
      .byIndex(BY_TARGET, key)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => age(a.metadata).localeCompare(age(b.metadata)));
  }

  /** ReplicaSets of a target. Those of a namesake that was deleted before are left out once its successor is there. */
  replicaSetsOf(key: string, deployment: Deployment | undefined): readonly ReplicaSet[] {
    const owned = this.stores.replicaSets.byIndex(BY_OWNER, key);
    const uid = deployment?.metadata?.uid;
    return uid === undefined ? owned : owned.filter((replicaSet) => ownerUid(replicaSet, 'Deployment') === uid);
  }

  podsOf(replicaSet: ReplicaSet): readonly Pod[] {
    return this.stores.pods.byIndex(BY_OWNER, replicaSet.metadata?.uid ?? '');
  }

  /** Services whose selector matches the labels of the Deployment's template. */
  servicesOf(deployment: Deployment): readonly Service[] {
    const labels = deployment.spec?.template?.metadata?.labels ?? {};
    return this.stores.services.byIndex(BY_NAMESPACE, deployment.metadata?.namespace ?? '').filter(({ spec }) => {
      const selector = Object.entries(spec?.selector ?? {});
      return (
        spec?.type !== 'ExternalName' &&
        selector.length > 0 &&
        selector.every(([name, value]) => labels[name] === value)
      );
    });
  }

  /** Key of the Deployment that a pod belongs to; undefined when it belongs to none. */
  targetOfPod(pod: Pod): string | undefined {
    const owner = pod.metadata?.ownerReferences?.find(({ kind, controller }) => controller && kind === 'ReplicaSet');
    if (!owner) return undefined;
    const replicaSet = this.stores.replicaSets.get(`${pod.metadata?.namespace}/${owner.name}`);
    if (replicaSet) return targetOfReplicaSet(replicaSet);
    // The ReplicaSet's event may come after the pod's; its name tells as well.
    const suffix = `-${pod.metadata?.labels?.[REVISION_LABEL]}`;
    return owner.name.endsWith(suffix)
      ? `${pod.metadata?.namespace}/${owner.name.slice(0, -suffix.length)}`
      : undefined;
  }

  /** Keys of all Deployments in a namespace that are the target of a Canary. */
  targetsIn(namespace: string): string[] {
    const keys = [...this.stores.canaries.list()].map(
      ({ metadata, spec }) => `${metadata.namespace}/${spec?.targetRef?.name}`,
    );
    return [...new Set(keys)].filter((key) => splitKey(key).namespace === namespace);
  }
}

/** Key of the Deployment that owns a ReplicaSet. */
export function targetOfReplicaSet(replicaSet: ReplicaSet): string | undefined {
  const owner = replicaSet.metadata?.ownerReferences?.find(
    ({ kind, controller }) => controller && kind === 'Deployment',
  );
  return owner && `${replicaSet.metadata?.namespace}/${owner.name}`;
}

function asList(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

function age(metadata: { creationTimestamp?: string; name: string; namespace: string }): string {
  return `${metadata.creationTimestamp ?? '~'} ${objectKey({ metadata })}`;
}
