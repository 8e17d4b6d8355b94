import type { ClusterFlags } from '../cluster-options.ts';

/** What there are names of. */
export type NameKind = 'namespaces' | 'contexts' | 'canaries' | 'pods' | 'services' | 'trustrotations';

/** A person waits with a finger on the key; ms for the cluster's answer. */
const PATIENCE_MS = 1000;

/**
 * Names of things in the cluster; none when it does not answer in a second, as a line is no place to complain.
 * @param kind undefined: of nothing that a cluster has
 */
export async function askNames(kind: NameKind | undefined, flags: ClusterFlags): Promise<readonly string[]> {
  return kind === undefined ? [] : read(kind, flags).catch(() => []);
}

async function read(kind: NameKind, flags: ClusterFlags): Promise<readonly string[]> {
  if (kind === 'contexts') {
    const { loadKubeConfig } = await import('../../kube/kube-config.ts');
    return loadKubeConfig({ kubeconfig: flags.kubeconfig })
      .getContexts()
      .map(({ name }) => name);
  }
  const [{ connect }, kinds] = await Promise.all([import('../cluster-options.ts'), import('../../kube/kinds.ts')]);
  const { api, namespace } = await connect(flags);
  const resource = {
    namespaces: kinds.NAMESPACE,
    canaries: kinds.CANARY,
    pods: kinds.POD,
    services: kinds.SERVICE,
    trustrotations: kinds.TRUST_ROTATION,
  }[kind];
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const { items } = await api.list(resource, { namespace: resource.namespaced ? namespace : undefined, signal });
    return items.map(({ metadata }) => metadata?.name ?? '').sort();
  } finally {
    api.close();
  }
}
