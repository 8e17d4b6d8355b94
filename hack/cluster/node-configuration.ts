import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { writeNodeCertificate } from './certificates.ts';
import type { ClusterNode } from './cluster-node.ts';
import { kubeletConfiguration } from './components.ts';
import { cniConfiguration, containerdConfiguration } from './containerd.ts';
import { overlaysWork, reachableResolvConf } from './host.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/**
 * Makes the folders of a node and writes what containerd, the CNI plugins, kubelet and kube-proxy read there.
 * @param authority the folder with the cluster's authority and the certificates of its control plane.
 */
export async function writeNodeConfiguration(node: ClusterNode, authority: string): Promise<void> {
  const { state } = node;
  for (const folder of [state.kubelet, state.podLogs, state.containerd, path.join(state.cni, 'conf')]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeNodeCertificate(authority, node);
  const snapshotter = (await overlaysWork(state.containerd)) ? 'overlayfs' : 'native';
  const kubelet = kubeletConfiguration(node, await reachableResolvConf(state));
  await Promise.all([
    writeFile(containerdFile(node), containerdConfiguration(state, snapshotter)),
    writeFile(path.join(state.cni, 'conf', '10-heddle.conflist'), JSON.stringify(cniConfiguration(node), null, 2)),
    writeFile(path.join(state.pki, 'kubelet.yaml'), stringify(kubelet)),
    writeKubeconfig(state.pki, 'kubelet', path.join(state.pki, 'kubelet.kubeconfig')),
    // Of one name on every node: kube-proxy may read the same everywhere.
    writeKubeconfig(authority, 'kube-proxy', path.join(state.pki, 'kube-proxy.kubeconfig')),
  ]);
}

/** The arguments of containerd. */
export function containerdArguments(node: ClusterNode): string[] {
  return ['--config', containerdFile(node)];
}

const containerdFile = ({ state }: ClusterNode): string => path.join(state.containerd, 'config.toml');
