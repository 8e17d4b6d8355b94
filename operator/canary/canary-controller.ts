import { isDeepStrictEqual } from 'node:util';
import { Controller } from '../../kube/controller.ts';
import { objectKey } from '../../kube/object.ts';
import type { StoreChange } from '../../kube/store.ts';
import type { ControllerRevision, Pod, ReplicaSet, Target } from './objects.ts';
import { isHeld, isNodeReady } from './pods.ts';
import type { CanaryDependencies } from './ports.ts';
import { CanaryReconciler } from './reconciler.ts';
import { hasBorrowed } from './targets/borrowed-fields.ts';
import { TargetIndex, targetOfRevision } from './targets/target-index.ts';
import { keyOfTarget, targetKey, targetOfCanary } from './targets/target-key.ts';

/** Marks the key of a pod that belongs to no target. */
const ORPHAN = 'pod:';
/** Targets that are worked on at once, which is mostly waiting for the API server: of a thousand that are checked every 10 s it is a hundred writes a second. */
const CONCURRENCY = 16;

/** The running canary controller. */
export interface CanaryController {
  /** Targets that wait to be looked at. */
  readonly waiting: number;
  /** Looks at all targets again, e.g. on becoming leader. */
  resync(): void;
  /** Looks at the targets of a namespace again. */
  touch(namespace: string): void;
  /** Looks at the targets again that wait for proxies. @param uids of the pods whose sidecars have acknowledged something */
  acknowledged(uids: ReadonlySet<string>): void;
  /** Looks at a target again. @param key `namespace/name` */
  look(key: string): void;
  /** Opens every gate and gives every borrowed field back: for the day Heddle is taken out of the cluster. */
  releaseAll(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the canary controller. It acts only while `isLeader()` is true; call `resync` on becoming leader.
 * All stores must have synced before.
 */
export function startCanary(deps: CanaryDependencies): CanaryController {
  const { stores, logger } = deps;
  const index = new TargetIndex(stores);
  const reconciler = new CanaryReconciler(deps, index);
  const controller = new Controller({
    name: 'canary',
    concurrency: CONCURRENCY,
    logger,
    reconcile: async (key) => {
      if (!key.startsWith(ORPHAN)) return reconciler.reconcile(key);
      await reconciler.releaseOrphan(key.slice(ORPHAN.length));
      return undefined;
    },
  });
  const enqueue = (key: string | undefined) => key !== undefined && controller.enqueue(key);
  const enqueuePod = (pod: Pod) => {
    const target = index.targetOfPod(pod);
    if (target !== undefined && (isHeld(pod) || index.canariesOf(target).length > 0)) controller.enqueue(target);
    if (target === undefined && isHeld(pod)) controller.enqueue(ORPHAN + objectKey(pod));
  };
  const onTarget =
    (kind: string) =>
    ({ object, previous }: StoreChange<Target>) => {
      const key = keyOfTarget(kind, object ?? previous ?? {});
      if (index.canariesOf(key).length > 0 || (object && hasBorrowed(object))) enqueue(key);
    };
  const onRevision = ({ object, previous }: StoreChange<ReplicaSet | ControllerRevision>) => {
    const key = targetOfRevision(object ?? previous ?? {});
    if (key !== undefined && index.canariesOf(key).length > 0) enqueue(key);
  };
  const resync = () => {
    for (const canary of stores.canaries.list()) controller.enqueue(targetOfCanary(canary));
    for (const [key, target] of index.targets()) if (hasBorrowed(target)) enqueue(key);
    for (const pod of stores.pods.list()) if (isHeld(pod)) enqueuePod(pod);
  };
  const touch = (namespace: string) => {
    for (const key of index.targetsIn(namespace)) controller.enqueue(key);
  };
  const unsubscribe = [
    stores.canaries.onChange(({ object, previous }) => {
      if (!object) reconciler.forget(previous?.metadata.uid);
      for (const canary of [object, previous]) if (canary) enqueue(targetOfCanary(canary));
    }),
    stores.deployments.onChange(onTarget('Deployment')),
    stores.statefulSets.onChange(onTarget('StatefulSet')),
    stores.daemonSets.onChange(onTarget('DaemonSet')),
    stores.replicaSets.onChange(onRevision),
    stores.controllerRevisions.onChange(onRevision),
    stores.autoscalers.onChange(({ object, previous }) => {
      for (const { metadata, spec } of [object, previous].filter((one) => one !== undefined)) {
        const { kind = '', name } = spec?.scaleTargetRef ?? {};
        const key = targetKey(metadata?.namespace, kind, name);
        if (!isDeepStrictEqual(object?.spec, previous?.spec) && index.canariesOf(key).length > 0) enqueue(key);
      }
    }),
    stores.pods.onChange(({ object, previous }) => enqueuePod(object ?? previous ?? {})),
    stores.nodes.onChange(({ key, object, previous }) => {
      if (isNodeReady(object) === isNodeReady(previous)) return;
      for (const pod of stores.pods.list()) if (pod.spec?.nodeName === key) enqueuePod(pod);
    }),
    stores.services.onChange(({ object, previous }) => touch((object ?? previous)?.metadata?.namespace ?? '')),
  ];
  deps.hooks.onAnswer(enqueue);
  resync();
  controller.start();
  return {
    get waiting() {
      return controller.waiting;
    },
    resync,
    touch,
    acknowledged: (uids) => {
      for (const key of reconciler.awaiting(uids)) controller.enqueue(key);
    },
    look: (key) => controller.enqueue(key),
    releaseAll: () => releaseAll(deps, reconciler, index),
    stop: async () => {
      for (const end of unsubscribe) end();
      await controller.stop();
    },
  };
}

async function releaseAll(deps: CanaryDependencies, reconciler: CanaryReconciler, index: TargetIndex): Promise<void> {
  const keys = new Set<string>();
  for (const [key, target] of index.targets()) if (hasBorrowed(target)) keys.add(key);
  for (const pod of deps.stores.pods.list()) {
    const key = isHeld(pod) ? index.targetOfPod(pod) : undefined;
    if (key !== undefined) keys.add(key);
  }
  for (const key of keys) {
    await reconciler.letGo(key).catch((error: unknown) => {
      deps.logger.warn('borrowed fields could not be given back', { target: key, error });
    });
  }
}
