import { stateLayout } from '../../../hack/cluster/layout.ts';
import { connectKube } from '../../../kube/connect.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';

/** A client of the cluster that `testKubectl` is about. */
export function testApi(): KubeApi {
  const { HEDDLE_TEST_CONTEXT: context, HEDDLE_TEST_KUBECONFIG: kubeconfig } = process.env;
  if (context !== undefined) return connectKube({ context });
  return connectKube({ kubeconfig: kubeconfig ?? stateLayout().kubeconfig });
}
