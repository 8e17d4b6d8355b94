import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';

/** Versions of what the local cluster builds. The Go modules beside this file pin the same versions with their sums. */
export const KUBERNETES_VERSION = 'v1.36.3';
export const COREDNS_VERSION = '1.15.0';

/** The name of the kubeconfig context, and of the first node. */
export const CONTEXT_NAME = 'heddle-local';
export const NODE_NAME = 'heddle-local';
export const NODE_REGION = 'local';
export const NODE_ZONE = 'local-a';

/** The bridge is the pods' gateway and carries the node's address, so that the cluster does not depend on the host's network. */
export const BRIDGE = 'heddle0';
export const NODE_ADDRESS = '10.86.0.1';
export const POD_PREFIX = '10.86.0.0/22';
export const POD_PREFIX_LENGTH = 22;
/** A second node, its pods' gateway and their addresses; and the addresses of all pods. */
export const SECOND_NODE_NAME = 'heddle-local-2';
export const SECOND_NODE_ZONE = 'local-b';
export const SECOND_NODE_ADDRESS = '10.86.4.1';
export const SECOND_POD_PREFIX = '10.86.4.0/22';
export const ALL_PODS_PREFIX = '10.86.0.0/21';
export const SERVICE_PREFIX = '10.87.0.0/20';
export const KUBERNETES_SERVICE_ADDRESS = '10.87.0.1';
export const DNS_ADDRESS = '10.87.0.10';
export const CLUSTER_DOMAIN = 'cluster.local';

export const API_PORT = 6443;
export const ETCD_PORT = 12379;
export const ETCD_PEER_PORT = 12380;

/** The CNI network's name; the portmap plugin writes it into its firewall rules. */
export const CNI_NETWORK = 'heddle';

/** The image of the container that holds a pod's namespaces. */
export const PAUSE_IMAGE = 'heddle/pause:1';
export const COREDNS_IMAGE = `heddle/coredns:${COREDNS_VERSION}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder for everything worth keeping between clusters: binaries, images, how long things took. */
export function cacheDirectory(env: Environment = process.env): string {
  if (env.HEDDLE_CACHE) return path.resolve(env.HEDDLE_CACHE);
  return path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'heddle');
}

/** The folder for everything that `down` deletes. Short, because Unix socket paths end at 107 bytes. */
export function stateDirectory(env: Environment = process.env): string {
  return path.resolve(env.HEDDLE_STATE || '/var/lib/heddle');
}

/**
 * The control group that all pods of the cluster live under, so that what a killed cluster left can be told from others' processes.
 * A cluster with a state folder of its own, in a network namespace of its own, has its own group too.
 */
export function controlGroupName(env: Environment = process.env): string {
  if (!env.HEDDLE_STATE) return 'heddle';
  return `heddle-${createHash('sha256').update(stateDirectory(env)).digest('hex').slice(0, 8)}`;
}

/** Where each part of a running cluster keeps its files, below the state folder. */
export type StateLayout = {
  readonly root: string;
  readonly processes: string;
  readonly logs: string;
  readonly pki: string;
  readonly etcd: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly containerd: string;
  readonly containerdSocket: string;
  readonly cni: string;
  readonly kubeconfig: string;
  readonly hostRecord: string;
};

/** The layout of the state folder `root`. */
export function stateLayout(root: string = stateDirectory()): StateLayout {
  const below = (...parts: string[]): string => path.join(root, ...parts);
  return {
    root,
    processes: below('processes'),
    logs: below('logs'),
    pki: below('pki'),
    etcd: below('etcd'),
    kubelet: below('kubelet'),
    podLogs: below('pod-logs'),
    containerd: below('containerd'),
    containerdSocket: below('containerd', 'containerd.sock'),
    cni: below('cni'),
    kubeconfig: below('kubeconfig'),
    hostRecord: below('host.json'),
  };
}
