import type { Condition } from '../../../api/condition.ts';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';
import { waitUntil } from '../../../hack/mesh/wait.ts';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly Pick<Condition, 'type' | 'status'>[] };
}

/**
 * Waits until the API server serves resources. `kubectl wait` cannot: it gives up on a definition so new that it has no conditions yet.
 * @param names of CustomResourceDefinitions, as `virtualservices.networking.istio.io`
 * @throws {Error} after 30 s, with those that are not served
 */
export function established(kubectl: Kubectl, names: readonly string[]): Promise<void> {
  const probe = async (): Promise<string | undefined> => {
    const { items } = await kubectl.json<{ items: readonly Definition[] }>(['get', 'crd']);
    const served = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status: holds }) => type === 'Established' && holds === 'True'),
    );
    const left = names.filter((name) => !served.some(({ metadata }) => metadata.name === name));
    return left.length === 0 ? undefined : `not served: ${left.join(', ')}`;
  };
  return waitUntil('definitions to be established', probe, { timeoutMs: 30_000 });
}
