import type { Canary } from '../../api/canary.ts';
import { CANARY } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import { CliError } from '../cli-error.ts';

/**
 * Finds a Canary.
 * @throws {CliError} naming those there are when there is none of this name
 */
export async function getCanary(api: Pick<KubeApi, 'get' | 'list'>, namespace: string, name: string): Promise<Canary> {
  try {
    return await api.get<Canary>(CANARY, { namespace, name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { items } = await api.list<Canary>(CANARY, { namespace });
    const names = items.map(({ metadata }) => metadata.name).slice(0, 10);
    throw new CliError(
      `there is no Canary ${name} in namespace ${namespace}`,
      names.length > 0
        ? `there are: ${names.join(', ')}`
        : 'name another namespace with -n, or list all with heddle canary list -A',
    );
  }
}
