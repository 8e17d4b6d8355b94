import { BORROWED_ANNOTATION } from '../../api/borrowed-annotation.ts';
import { TLS_MODE_ISTIO, TLS_MODE_LABEL } from '../../api/pod-names.ts';
import { DAEMON_SET, DEPLOYMENT, NAMESPACE, POD, STATEFUL_SET } from '../../kube/kinds.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { startProgress } from '../terminal/progress.ts';
import { find, type InstallApi } from './apply.ts';
import { kindOf, type ManifestObject, titleOf } from './manifest-object.ts';
import type { DeploymentState } from './readiness.ts';
import { waitUntilNothing } from './wait.ts';

export interface Removal {
  /** What is there of the installation, in the order in which it goes. */
  readonly objects: readonly ManifestObject[];
  /** Sentences on what a user should know first. */
  readonly notes: readonly string[];
  /** Workloads of which Canaries have borrowed, where no operator runs that could give back. */
  readonly unreturned: readonly string[];
}

const isOperator = ({ kind, metadata }: ManifestObject): boolean =>
  kind === 'Deployment' && metadata.name === OPERATOR_SERVICE;

/** Looks at what an installation consists of here. Definitions stay. */
export async function planRemoval(api: InstallApi, base: readonly ManifestObject[]): Promise<Removal> {
  const own = base.filter(({ kind }) => kind !== 'CustomResourceDefinition');
  const there = await Promise.all(own.map(async (object) => ((await find(api, object)) ? [object] : [])));
  const present = there.flat();
  // The operator first: it gives back. Of the others those that were applied last go first, so webhooks before what answers them.
  const objects = [...present.filter(isOperator), ...present.filter((object) => !isOperator(object)).reverse()];
  if (objects.length === 0) return { objects, notes: [], unreturned: [] };
  const [borrowed, sidecars, operator] = await Promise.all([
    borrowers(api),
    api.list(POD, { labelSelector: `${TLS_MODE_LABEL}=${TLS_MODE_ISTIO}` }),
    present.some(isOperator)
      ? api.get<DeploymentState>(DEPLOYMENT, { namespace: SYSTEM_NAMESPACE, name: OPERATOR_SERVICE })
      : undefined,
  ]);
  const runs = (operator?.status?.availableReplicas ?? 0) > 0;
  const pods = sidecars.items.length;
  return {
    objects,
    notes: [
      'the certificate authority of the mesh (Secret heddle-ca) goes with the namespace heddle-system',
      ...(pods > 0
        ? [
            `${pods} pods have a sidecar: they go on with what they have until their certificates end, so restart them soon`,
          ]
        : []),
    ],
    unreturned: runs ? [] : borrowed,
  };
}

async function borrowers(api: InstallApi): Promise<string[]> {
  const lists = await Promise.all([DEPLOYMENT, STATEFUL_SET, DAEMON_SET].map((kind) => api.list(kind)));
  return lists.flatMap(({ items }) =>
    items
      .filter(({ metadata }) => metadata?.annotations?.[BORROWED_ANNOTATION] !== undefined)
      .map(({ kind, metadata }) => `${kind} ${metadata?.namespace}/${metadata?.name}`),
  );
}

/**
 * Deletes the objects, the operator's Deployment first and with all of its pods gone before anything else goes.
 * @param timeoutMs how long each step may take
 * @throws {CliError} saying what is left
 */
export async function remove(api: InstallApi, objects: readonly ManifestObject[], timeoutMs: number): Promise<void> {
  const next = 'run heddle uninstall again; kubectl get -o yaml of what is left shows its finalizers';
  for (const operator of objects.filter(isOperator)) {
    await remove1(api, operator, 'Foreground');
    const gone = async () => ((await find(api, operator)) ? ['the operator gives back what Canaries borrowed'] : []);
    await waitUntilNothing('stopping the operator', gone, timeoutMs, next);
  }
  const bar = startProgress('deleting');
  const others = objects.filter((object) => !isOperator(object));
  for (const [index, object] of others.entries()) {
    bar.update(index / others.length, titleOf(object));
    await remove1(api, object, 'Background');
  }
  bar.finish(`${objects.length} objects`);
  const left = async () => {
    try {
      await api.get(NAMESPACE, { name: SYSTEM_NAMESPACE });
      return [`namespace ${SYSTEM_NAMESPACE}, whose pods end`];
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  await waitUntilNothing('waiting until all is gone', left, timeoutMs, next);
}

async function remove1(
  api: InstallApi,
  object: ManifestObject,
  propagationPolicy: 'Foreground' | 'Background',
): Promise<void> {
  try {
    await api.delete(kindOf(object), object.metadata, { propagationPolicy });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
