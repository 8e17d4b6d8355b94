import type { KubeConfig } from '@kubernetes/client-node';
import type { Command } from 'commander';
import type { KubeApi } from '../kube/kube-api.ts';
import { CliError } from './cli-error.ts';

const NO_CLUSTER = 'http://localhost:8080';

/** Where a command looks. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
}

/** The cluster that the flags name. */
export interface Cluster {
  readonly api: KubeApi;
  /** For what `api` can't do: ports of pods (`cli/forward`). */
  readonly config: KubeConfig;
  /** Namespace that was told, or the context's own, or `default`. */
  readonly namespace: string;
}

/**
 * Adds the options that all commands have which ask a cluster; kubectl's names.
 * @param every true: there is `--all-namespaces` too
 */
export function withClusterOptions(command: Command, every = false): Command {
  command
    .option('-n, --namespace <name>', "namespace; the context's own unless told")
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig; KUBECONFIG or ~/.kube/config unless told');
  return every ? command.option('-A, --all-namespaces', 'in all namespaces') : command;
}

/**
 * Connects to the cluster that the flags name.
 * @throws {CliError} with code 3 when the kubeconfig names none
 */
export async function connect({ kubeconfig, context, namespace }: ClusterFlags): Promise<Cluster> {
  // The client takes a while to load, and most of `--help` needs none of it.
  const [{ connectKube }, { loadKubeConfig }] = await Promise.all([
    import('../kube/connect.ts'),
    import('../kube/kube-config.ts'),
  ]);
  try {
    const options = { kubeconfig, context };
    const config = loadKubeConfig(options);
    // What the client assumes where there is no kubeconfig at all.
    if (config.getCurrentContext() === 'loaded-context' && config.getCurrentCluster()?.server === NO_CLUSTER) {
      throw new Error('there is no kubeconfig');
    }
    const own = config.getContextObject(config.getCurrentContext())?.namespace;
    return { api: connectKube(options, 'heddle-cli'), config, namespace: namespace ?? own ?? 'default' };
  } catch (error) {
    throw new CliError((error as Error).message, 'set KUBECONFIG, or give --kubeconfig', 3);
  }
}
