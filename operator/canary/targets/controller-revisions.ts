import type { ControllerRevision, Pod } from '../objects.ts';
import { revisionOfPod } from '../objects.ts';
import type { RevisionView } from '../observation.ts';
import { countPods, isReady, type NodeReadiness } from '../pods.ts';
import { restartFingerprint } from './revisions.ts';

/**
 * Trims a ControllerRevision for its store: of the template in it, which is most of it, a fingerprint is all that is read.
 * @returns the same object
 */
export function trimControllerRevision<T extends ControllerRevision>(revision: T): T {
  if (revision.metadata) {
    delete revision.metadata.managedFields;
    delete revision.metadata.annotations;
  }
  revision.restartFingerprint = restartFingerprint(revision.data?.spec?.template);
  delete revision.data;
  return revision;
}

/**
 * The revisions of a StatefulSet or DaemonSet. How many pods a revision is to have nobody says, so it counts as many as it has.
 * @param nameOf the value of the pods' label `controller-revision-hash` for a ControllerRevision
 */
export function viewControllerRevisions(
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
  nameOf: (revision: ControllerRevision) => string,
  isNodeAlive: NodeReadiness,
): ReadonlyMap<string, RevisionView> {
  const byRevision = Map.groupBy(pods, revisionOfPod);
  return new Map(
    revisions.map((object) => {
      const revision = nameOf(object);
      const own = byRevision.get(revision) ?? [];
      const counted = countPods(own, isNodeAlive);
      const view = {
        revision,
        ordinal: object.revision ?? 0,
        replicas: counted.total,
        ready: own.filter(isReady).length,
        restartFingerprint: object.restartFingerprint ?? restartFingerprint(object.data?.spec?.template),
        pods: counted,
      };
      return [revision, view];
    }),
  );
}
