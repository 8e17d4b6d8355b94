import type { V1Pod } from '@kubernetes/client-node';
import { PROXY_CONTAINER } from '../../api/pod-names.ts';
import { POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { OPERATOR_SERVICE, SYSTEM_NAMESPACE, WEBHOOK_SERVICE } from '../../proxy/names.ts';
import { CliError } from '../cli-error.ts';
import type { LogSource } from './pod-log.ts';

const PARTS: Readonly<Record<string, string>> = { operator: OPERATOR_SERVICE, webhook: WEBHOOK_SERVICE };

/**
 * The containers whose lines are asked for.
 * @param target `operator`, `webhook`, or what has a sidecar (see `readTarget`)
 * @throws {CliError} when there is none
 */
export async function findSources(
  api: Pick<KubeApi, 'list'>,
  namespace: string,
  target: string,
): Promise<readonly LogSource[]> {
  const part = PARTS[target];
  if (part === undefined) {
    const { findPods } = await import('../pods/find-pods.ts');
    const pods = await findPods(api, namespace, target);
    return pods.map((pod) => ({ namespace: pod.namespace, pod: pod.name, container: PROXY_CONTAINER }));
  }
  const { items } = await api.list<V1Pod>(POD, {
    namespace: SYSTEM_NAMESPACE,
    labelSelector: `app.kubernetes.io/name=${part}`,
  });
  if (items.length === 0) {
    throw new CliError(
      `no pod of the ${target} runs in namespace ${SYSTEM_NAMESPACE}`,
      `see why: kubectl -n ${SYSTEM_NAMESPACE} describe deployment ${part}`,
      3,
    );
  }
  return items.map(({ metadata, spec }) => ({
    namespace: SYSTEM_NAMESPACE,
    pod: metadata?.name ?? '',
    container: spec?.containers[0]?.name ?? target,
  }));
}
