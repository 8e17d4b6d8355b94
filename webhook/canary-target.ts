import type { V1Deployment } from '@kubernetes/client-node';
import type { CanarySpec } from '../api/canary.ts';
import { DEPLOYMENT } from '../kube/kinds.ts';
import type { KubeApi } from '../kube/kube-api.ts';
import { isNotFound } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/object.ts';

/** How long the API server may take about the target; a warning is not worth more. */
const LOOK_MS = 2000;

/**
 * Looks at a Canary's target when the Canary is applied. It is no error when the target is missing: manifests come in any order.
 * @returns sentences for warnings
 */
export async function judgeTarget(
  api: Pick<KubeApi, 'get'>,
  namespace: string,
  { targetRef }: CanarySpec,
): Promise<string[]> {
  const title = `spec.targetRef: ${targetRef.kind} ${namespace}/${targetRef.name}`;
  const timeout = new Promise<undefined>((resolve) => setTimeout(resolve, LOOK_MS, undefined).unref());
  try {
    const name = { namespace, name: targetRef.name };
    const deployment = await Promise.race([api.get<V1Deployment & KubeObject>(DEPLOYMENT, name), timeout]);
    if (deployment?.spec?.strategy?.type !== 'Recreate') return [];
    return [
      `${title} has spec.strategy.type Recreate, which stops the old revision first; use RollingUpdate, or nothing is analysed`,
    ];
  } catch (error) {
    if (!isNotFound(error)) return [];
    return [`${title} does not exist; the Canary waits until it does`];
  }
}
