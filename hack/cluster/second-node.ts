import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadImagesInto, namesOfLoadedImages } from '../images/load.ts';
import { cleanSecondNode } from './clean.ts';
import { clusterStatus, kubectlBinary } from './cluster.ts';
import { type ClusterNode, secondNode } from './cluster-node.ts';
import { tryRun } from './command.ts';
import { startComponent, untilReady, whileComponentsRun } from './component-start.ts';
import { kubeletArguments, proxyArguments } from './components.ts';
import { createControlGroup } from './control-groups.ts';
import { COREDNS_IMAGE, PAUSE_IMAGE, type StateLayout, stateLayout } from './layout.ts';
import { withClusterLock } from './lock.ts';
import { inside, openNamespaces } from './namespaces.ts';
import { nodeCondition, untilNodeReady } from './node-condition.ts';
import { containerdArguments, writeNodeConfiguration } from './node-configuration.ts';
import { connectNode } from './node-link.ts';
import { requireMachine } from './prerequisites.ts';
import type { ProcessRecord } from './process-record.ts';
import { isRunning, readRecords } from './processes.ts';

export type SecondNodeOptions = {
  /** The images its pods may ask for; without it, those of this project that the first node was given. */
  readonly images?: readonly string[];
  /** Takes one line for each step; the default writes nothing. */
  readonly report?: (line: string) => void;
};

const SILENT = (): void => {};

/**
 * Adds a second node to the running local cluster: a containerd and a kubelet of its own on this machine, in a network and a mount
 * namespace of their own, with pod addresses of its own and a route to them. Returns when it is Ready and has the images; one that is
 * there already stays.
 * @returns the node's name
 * @throws Error when the local cluster is not up, or with the log's end when a component fails.
 */
export async function addSecondNode(options: SecondNodeOptions = {}): Promise<string> {
  const { report = SILENT } = options;
  requireMachine();
  const state = stateLayout();
  const node = secondNode(state);
  await withClusterLock(report, async () => {
    if ((await clusterStatus()).state !== 'Running')
      throw new Error('the local cluster is not up: start it with `npm run cluster -- up`');
    const kubectl = await kubectlBinary();
    const images = options.images ?? [COREDNS_IMAGE, ...(await namesOfLoadedImages(state))];
    if ((await secondNodeCondition()) === 'Ready') {
      report(`${node.name} is already there`);
      await loadImagesInto(node.state, images);
      return;
    }
    await forget(node, state, kubectl);
    report(`starting ${node.name}`);
    await start(node, state, path.dirname(kubectl));
    report(`waiting for ${node.name}, and loading images into it`);
    const access = { kubeconfig: state.kubeconfig, kubectl };
    await whileComponentsRun(node.state, async () => {
      await Promise.all([untilNodeReady(access, node.name), loadImagesInto(node.state, [PAUSE_IMAGE, ...images])]);
    });
  });
  return node.name;
}

/**
 * Takes the second node out of the local cluster, as one takes a machine away: its pods are asked to end, the Node is deleted, and all
 * that it made on this machine is removed. Harmless when there is none.
 */
export async function removeSecondNode({ report = SILENT }: Omit<SecondNodeOptions, 'images'> = {}): Promise<void> {
  requireMachine();
  const state = stateLayout();
  const node = secondNode(state);
  if (!existsSync(node.state.root)) return;
  await withClusterLock(report, async () => {
    report(`draining ${node.name}`);
    const kubectl = await kubectlBinary();
    // Deleted, not evicted: a PodDisruptionBudget is no reason to keep a node that its owner takes away.
    const all = ['--ignore-daemonsets', '--delete-emptydir-data', '--force', '--disable-eviction', '--timeout=60s'];
    const drained = await tryRun(kubectl, ['--kubeconfig', state.kubeconfig, 'drain', node.name, ...all]);
    if (drained.code !== 0) report(`not all pods of ${node.name} have ended: ${drained.stderr.trim()}`);
    report(`stopping ${node.name}`);
    await forget(node, state, kubectl);
  });
}

/**
 * What of the second node is there: `absent`; `Broken`, where some of its processes have ended; else what the API server says of it,
 * `Ready`, `NotReady` or `unreachable`.
 */
export async function secondNodeCondition(): Promise<string> {
  const state = stateLayout();
  const node = secondNode(state);
  const components = await readRecords(node.state.processes);
  if (components.length === 0) return existsSync(node.state.root) ? 'Broken' : 'absent';
  if ((await Promise.all(components.map(isRunning))).includes(false)) return 'Broken';
  return nodeCondition({ kubeconfig: state.kubeconfig, kubectl: await kubectlBinary() }, node.name);
}

/** Deletes the Node and cleans the machine of it. */
async function forget(node: ClusterNode, state: StateLayout, kubectl: string): Promise<void> {
  const args = ['--kubeconfig', state.kubeconfig, '--request-timeout=10s', 'delete', 'node', node.name];
  await tryRun(kubectl, [...args, '--ignore-not-found']);
  await cleanSecondNode(state);
}

/** Starts all of the node. @param binaries the folder with the Kubernetes components */
async function start(node: ClusterNode, state: StateLayout, binaries: string): Promise<void> {
  const [holder] = await Promise.all([
    openNamespaces(node.state),
    createControlGroup(node.controlGroup),
    writeNodeConfiguration(node, state.pki),
  ]);
  await connectNode(node, holder);
  const startInside = (name: string, program: string, args: readonly string[]): Promise<ProcessRecord> =>
    startComponent(node.state, name, ...inside(holder, program, args));
  const containerd = await startInside('containerd', '/usr/bin/containerd', containerdArguments(node));
  await startInside('kube-proxy', path.join(binaries, 'kube-proxy'), proxyArguments(node));
  await untilReady(node.state, [containerd], () => existsSync(node.state.containerdSocket));
  await startInside('kubelet', path.join(binaries, 'kubelet'), kubeletArguments(node));
}
