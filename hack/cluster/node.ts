import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { importArchive } from '../images/load.ts';
import { ETCD, ensureBinary } from './binaries.ts';
import { writeCertificates } from './certificates.ts';
import { type ClusterNode, firstNode } from './cluster-node.ts';
import { tryRun } from './command.ts';
import { startComponent, untilReady } from './component-start.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  kubeletArguments,
  proxyArguments,
  schedulerArguments,
} from './components.ts';
import { createControlGroup } from './control-groups.ts';
import { allowPodsOut } from './firewall.ts';
import { createBridge, recordHost } from './host.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { StateLayout } from './layout.ts';
import { containerdArguments, writeNodeConfiguration } from './node-configuration.ts';
import type { ProcessRecord } from './process-record.ts';

/**
 * Starts the control plane and every component of the first node on a clean machine, and returns when the API server answers and all
 * others were started.
 * @param binaries the folder with the Kubernetes components.
 * @param archives images that kubelet needs before anything can be loaded.
 * @throws Error with the end of its log when a component ends or does not answer.
 */
export async function startNode(
  state: StateLayout,
  binaries: string,
  archives: readonly string[],
  report: (line: string) => void,
): Promise<void> {
  const node = firstNode(state);
  await recordHost(state);
  report('preparing network, certificates and configuration');
  await Promise.all([prepareHost(node), writeConfiguration(node)]);
  const start = (name: string, program: string, args: readonly string[]): Promise<ProcessRecord> =>
    startComponent(state, name, program, args);
  report('starting containerd, etcd and kube-apiserver');
  const containerd = await start('containerd', '/usr/bin/containerd', containerdArguments(node));
  const etcd = await start('etcd', await ensureBinary(ETCD), etcdArguments(state));
  const apiServer = await start('kube-apiserver', path.join(binaries, 'kube-apiserver'), apiServerArguments(state));
  await Promise.all([
    untilReady(state, [containerd], () => existsSync(state.containerdSocket)).then(() => importAll(archives, state)),
    untilReady(state, [etcd, apiServer], () => apiAnswers(state, binaries)),
  ]);
  report('starting kube-controller-manager, kube-scheduler, kubelet and kube-proxy');
  const late: readonly (readonly [string, readonly string[]])[] = [
    ['kubelet', kubeletArguments(node)],
    ['kube-controller-manager', controllerManagerArguments(state)],
    ['kube-scheduler', schedulerArguments(state)],
    ['kube-proxy', proxyArguments(node)],
  ];
  for (const [name, args] of late) await start(name, path.join(binaries, name), args);
}

async function prepareHost({ controlGroup }: ClusterNode): Promise<void> {
  await createBridge();
  await allowPodsOut();
  await createControlGroup(controlGroup);
}

async function writeConfiguration(node: ClusterNode): Promise<void> {
  const { state } = node;
  await mkdir(state.etcd, { recursive: true, mode: 0o700 });
  await writeCertificates(state.pki);
  await Promise.all([
    writeNodeConfiguration(node, state.pki),
    writeKubeconfig(state.pki, 'admin', state.kubeconfig),
    ...['kube-controller-manager', 'kube-scheduler'].map((name) =>
      writeKubeconfig(state.pki, name, path.join(state.pki, `${name}.kubeconfig`)),
    ),
  ]);
}

async function importAll(archives: readonly string[], state: StateLayout): Promise<void> {
  for (const archive of archives) await importArchive(archive, state);
}

/**
 * Whether the API server serves, and has published how it authenticates others: controller-manager and scheduler end at once
 * when they look for that a moment too early.
 */
async function apiAnswers(state: StateLayout, binaries: string): Promise<boolean> {
  const get = async (url: string): Promise<boolean> => {
    const args = ['--kubeconfig', state.kubeconfig, '--request-timeout=2s', 'get', `--raw=${url}`];
    return (await tryRun(path.join(binaries, 'kubectl'), args)).code === 0;
  };
  return (
    (await get('/readyz')) &&
    (await get('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'))
  );
}
