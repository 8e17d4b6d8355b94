import { run, tryRun } from './command.ts';

/** How to reach the cluster: the kubeconfig's path and a kubectl of the cluster's own version. */
export type ClusterAccess = { readonly kubeconfig: string; readonly kubectl: string };

/** Waits until a node has told the API server of itself, and is Ready. @throws Error when either takes over a minute */
export async function untilNodeReady({ kubeconfig, kubectl }: ClusterAccess, name: string): Promise<void> {
  for (const what of ['create', 'condition=Ready'])
    await run(kubectl, ['--kubeconfig', kubeconfig, 'wait', `--for=${what}`, `node/${name}`, '--timeout=60s']);
}

/** `Ready`, `NotReady`, or `unreachable` where the API server does not answer or does not know the node. */
export async function nodeCondition({ kubeconfig, kubectl }: ClusterAccess, name: string): Promise<string> {
  const jsonPath = '{.status.conditions[?(@.type=="Ready")].status}';
  const flags = ['--kubeconfig', kubeconfig, '--request-timeout=5s'];
  const answer = await tryRun(kubectl, [...flags, 'get', 'node', name, '-o', `jsonpath=${jsonPath}`]);
  if (answer.code !== 0) return 'unreachable';
  return answer.stdout === 'True' ? 'Ready' : 'NotReady';
}
