import { afterAll, beforeAll } from '@jest/globals';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';

const OPERATOR = ['-n', 'heddle-system', 'deployment/heddle-operator'];

/** Lets an operator that is installed rest while the tests of this file run: it would take our TrustRotations for its own. */
export function useNoOperator(kubectl: Kubectl): void {
  let replicas = '';
  beforeAll(async () => {
    const { code, stdout } = await kubectl.try(['get', ...OPERATOR, '-o', 'jsonpath={.spec.replicas}']);
    if (code !== 0) return;
    replicas = stdout;
    await kubectl.run(['scale', ...OPERATOR, '--replicas=0']);
    const pods = ['-n', 'heddle-system', 'wait', 'pod', '-l', 'app.kubernetes.io/name=heddle-operator'];
    await kubectl.run([...pods, '--for=delete', '--timeout=60s']);
  }, 120_000);
  afterAll(async () => {
    if (replicas !== '') await kubectl.run(['scale', ...OPERATOR, `--replicas=${replicas}`]);
  }, 60_000);
}
