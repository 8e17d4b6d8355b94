import type { Kubectl } from '../../../hack/mesh/kubectl.ts';

/** Has kubelet bring pods what their ConfigMaps say by now: it looks after a pod that changed at once, and after others once a minute. @param pods namespace and selector, as kubectl takes them */
export async function lookAfter(kubectl: Kubectl, ...pods: readonly string[]): Promise<void> {
  await kubectl.run(['annotate', 'pod', ...pods, '--overwrite', `heddle-e2e/touched=${Date.now()}`]);
}

/**
 * Has kubelet look after all pods of a namespace every other second until the work is done, as if it were so quick by itself. A rotation may then be as quick: its
 * `trustPropagation` is what kubelets take at most to bring a bundle to a pod whose stream may begin anew.
 */
export async function withQuickKubelet<T>(kubectl: Kubectl, namespace: string, work: () => Promise<T>): Promise<T> {
  const touch = (): Promise<void> => lookAfter(kubectl, '-n', namespace, '--all').catch(() => undefined);
  const timer = setInterval(touch, 2000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
