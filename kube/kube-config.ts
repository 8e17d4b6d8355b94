// Not of its index, which brings all of the client (`cli/light-packages.ts`).
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';

export interface ClusterOptions {
  /** Path of a kubeconfig; default: `KUBECONFIG`, `~/.kube/config`, then the pod's own service account. */
  readonly kubeconfig?: string | undefined;
  /** Context of the kubeconfig; default: its current one. */
  readonly context?: string | undefined;
}

/**
 * Loads the configuration of a cluster; inside a pod its service account comes first unless a file or context is named.
 * @throws {Error} naming the context or file when it does not exist
 */
export function loadKubeConfig(options: ClusterOptions = {}, env: NodeJS.ProcessEnv = process.env): KubeConfig {
  const config = new KubeConfig();
  if (options.kubeconfig) config.loadFromFile(options.kubeconfig);
  else if (!options.context && !env.KUBECONFIG && env.KUBERNETES_SERVICE_HOST) config.loadFromCluster();
  else config.loadFromDefault();
  if (options.context) {
    if (!config.getContextObject(options.context)) {
      const known = config.getContexts().map((context) => context.name);
      throw new Error(`context "${options.context}" is not in the kubeconfig; it has: ${known.join(', ') || 'none'}`);
    }
    config.setCurrentContext(options.context);
  }
  if (!config.getCurrentCluster()) throw new Error('the kubeconfig names no cluster; give --context or set KUBECONFIG');
  return config;
}
