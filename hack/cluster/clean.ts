import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ClusterNode, firstNode, secondNode } from './cluster-node.ts';
import { controlGroupPids, removeControlGroup } from './control-groups.ts';
import { removeClusterRules } from './firewall.ts';
import { readHostRecord, removeBridge, removeForeignFiles, restoreHost, unmountBelow } from './host.ts';
import type { StateLayout } from './layout.ts';
import { disconnectNode } from './node-link.ts';
import type { ProcessRecord } from './process-record.ts';
import { readRecords, recordOf, stopProcesses } from './processes.ts';

/**
 * Takes the cluster off the machine, whole or in pieces, and whoever ended its processes: components, containers, shims, mounts, network
 * namespaces, bridge, firewall rules, control groups, kernel settings, and the state folder. Binaries and images stay in the cache.
 */
export async function cleanHost(state: StateLayout): Promise<void> {
  const node = firstNode(state);
  await cleanSecondNode(state);
  await stopNode(node);
  const host = await readHostRecord(state);
  await unmountBelow(state.root);
  await removeBridge();
  await removeClusterRules(host?.firewallTables);
  await removeControlGroup(node.controlGroup);
  await removeForeignFiles(state);
  await rm(state.root, { recursive: true, force: true, maxRetries: 3 });
  if (host !== undefined) await restoreHost(host);
}

/** Takes the second node off the machine, whole or in pieces, if there is one. Its mounts and firewall rules go with its namespaces. */
export async function cleanSecondNode(state: StateLayout): Promise<void> {
  const node = secondNode(state);
  await stopNode(node);
  await disconnectNode(node);
  await removeControlGroup(node.controlGroup);
  await rm(node.state.root, { recursive: true, force: true, maxRetries: 3 });
}

/** Ends all processes of a node, and those of the control plane with the first. */
async function stopNode(node: ClusterNode): Promise<void> {
  const components = await readRecords(node.state.processes);
  // kubelet goes first: it would start again what is being stopped. The rest may go together.
  await stopProcesses(components.filter((record) => record.name === 'kubelet'));
  // kube-apiserver would wait a minute for its watchers; nothing here is worth that.
  await stopProcesses(
    components.filter((record) => !['containerd', 'kubelet'].includes(record.name)),
    1_000,
  );
  await stopProcesses(await containerProcesses(node), 1_000);
  await stopProcesses(await shimProcesses(node), 2_000);
  await stopProcesses(components);
  await stopProcesses([...(await shimProcesses(node)), ...(await containerProcesses(node))], 0);
}

/** The processes of pods: those in the node's control group. */
async function containerProcesses({ controlGroup }: ClusterNode): Promise<ProcessRecord[]> {
  return recordsOf('container', await controlGroupPids(controlGroup));
}

/** containerd's shims that serve the node's containerd: each names its socket, which nobody else uses, in its arguments. */
async function shimProcesses({ state }: ClusterNode): Promise<ProcessRecord[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours: number[] = [];
  for (const pid of pids) {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (path.basename(words[0] ?? '').startsWith('containerd-shim') && words.includes(state.containerdSocket))
      ours.push(pid);
  }
  return recordsOf('containerd-shim', ours);
}

async function recordsOf(name: string, pids: readonly number[]): Promise<ProcessRecord[]> {
  // A process that ends in between needs no stopping.
  const records = await Promise.all(
    pids.filter((pid) => existsSync(`/proc/${pid}`)).map((pid) => recordOf(name, pid).catch(() => undefined)),
  );
  return records.filter((record) => record !== undefined);
}
