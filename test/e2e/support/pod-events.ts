import { waitUntil } from '../../../hack/mesh/wait.ts';
import type { TestNamespace } from './namespace.ts';

/** Waits until kubelet has told that a probe of a pod failed. @param name the pod's, or the start of it */
export async function probeFailed(space: TestNamespace, name: string): Promise<void> {
  const events = ['get', 'events', '--field-selector', 'reason=Unhealthy', '-o', 'jsonpath={..involvedObject.name}'];
  await waitUntil(`a probe of ${name} that failed`, async () => {
    const names = (await space.run(...events)).split(' ');
    return names.some((found) => found.startsWith(name)) ? undefined : 'none';
  });
}
