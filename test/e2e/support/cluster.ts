import { existsSync } from 'node:fs';
import { stateLayout } from '../../../hack/cluster/layout.ts';
import { Kubectl } from '../../../hack/mesh/kubectl.ts';

/**
 * kubectl against the cluster under test: the one the test runner names, else the local one when it is up.
 * @throws {Error} when there is neither
 */
export function testKubectl(): Kubectl {
  const {
    HEDDLE_TEST_CONTEXT: context,
    HEDDLE_TEST_KUBECONFIG: kubeconfig,
    HEDDLE_TEST_KUBECTL: program,
  } = process.env;
  if (context !== undefined) return new Kubectl({ context });
  if (kubeconfig !== undefined) return new Kubectl({ kubeconfig, ...(program === undefined ? {} : { program }) });
  const local = stateLayout().kubeconfig;
  if (existsSync(local)) return new Kubectl({ kubeconfig: local });
  throw new Error('no cluster: run `npm test -- e2e`, or `npm run cluster -- up` first');
}
