import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { controlGroupPids, removeControlGroup } from './control-groups.ts';
import { removeClusterRules } from './firewall.ts';
import { readHostRecord, removeBridge, removeForeignFiles, restoreHost, unmountBelow } from './host.ts';
import type { StateLayout } from './layout.ts';
import type { ProcessRecord } from './process-record.ts';
import { readRecords, recordOf, stopProcesses } from './processes.ts';

/**
 * Takes the cluster off the machine, whole or in pieces, and whoever ended its processes: components, containers, shims, mounts, network
 * namespaces, bridge, firewall rules, control groups, kernel settings, and the state folder. Binaries and images stay in the cache.
 */
export async function cleanHost(state: StateLayout): Promise<void> {
  const components = await readRecords(state.processes);
  // kubelet goes first: it would start again what is being stopped. The rest may go together.
  await stopProcesses(components.filter((record) => record.name === 'kubelet'));
  // kube-apiserver would wait a minute for its watchers; nothing here is worth that.
  await stopProcesses(
    components.filter((record) => !['containerd', 'kubelet'].includes(record.name)),
    1_000,
  );
  await stopProcesses(await containerProcesses(), 1_000);
  await stopProcesses(await shimProcesses(state), 2_000);
  await stopProcesses(components);
  await stopProcesses([...(await shimProcesses(state)), ...(await containerProcesses())], 0);
  const host = await readHostRecord(state);
  await unmountBelow(state.root);
  await removeBridge();
  await removeClusterRules(host?.firewallTables);
  await removeControlGroup();
  await removeForeignFiles(state);
  await rm(state.root, { recursive: true, force: true, maxRetries: 3 });
  if (host !== undefined) await restoreHost(host);
}

/** The processes of pods: those in the cluster's control group. */
async function containerProcesses(): Promise<ProcessRecord[]> {
  return recordsOf('container', await controlGroupPids());
}

/** containerd's shims that serve our containerd: each names its socket, which nobody else uses, in its arguments. */
async function shimProcesses(state: StateLayout): Promise<ProcessRecord[]> {
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
