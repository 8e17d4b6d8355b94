import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { run, tryRun } from './command.ts';
import { startComponent, untilReady } from './component-start.ts';
import { COVERED_FOLDERS, mountsBelow } from './host.ts';
import type { StateLayout } from './layout.ts';
import type { ProcessRecord } from './process-record.ts';

/** A program and its arguments. */
export type CommandLine = readonly [program: string, args: readonly string[]];

/**
 * Opens a network and a mount namespace for a node that is not this machine itself, and a process that holds them and does nothing else.
 * All that is mounted, linked or filtered in them goes with the last of their processes. What the cluster has mounted so far is not in
 * there: it would be held, and so kept. Nor are the folders that the programs of two nodes would both write to.
 * @param state of the node, whose folder is below the cluster's
 */
export async function openNamespaces(state: StateLayout): Promise<ProcessRecord> {
  const ours = await readlink('/proc/self/ns/net');
  const unshare = ['--net', '--mount', '--propagation', 'slave', 'sleep', 'infinity'];
  const holder = await startComponent(state, 'namespaces', 'unshare', unshare);
  const isOpen = async (): Promise<boolean> =>
    (await readlink(`/proc/${holder.pid}/ns/net`)) !== ours &&
    (await readFile(`/proc/${holder.pid}/comm`, 'utf8')).trim() === 'sleep';
  await untilReady(state, [holder], isOpen);
  const mount = (...args: string[]): Promise<string> => run(...inside(holder, 'mount', args));
  // kubelet's mounts must reach the containers.
  await mount('--make-rshared', '/');
  await unmountInside(holder, path.dirname(state.root));
  for (const folder of COVERED_FOLDERS) {
    await run('mkdir', ['-p', folder]);
    await mount('-t', 'tmpfs', 'tmpfs', folder);
  }
  return holder;
}

/** Unmounts what is below a folder. A mount that the first node takes away goes from here by itself, so it may be gone before its turn. */
async function unmountInside(holder: ProcessRecord, folder: string): Promise<void> {
  const points = mountsBelow(await readFile(`/proc/${holder.pid}/mountinfo`, 'utf8'), folder);
  for (const point of points) if (point !== folder) await tryRun(...inside(holder, 'umount', ['--lazy', point]));
}

/** How to run a program in the namespaces that a process holds. It is the program then: its pid is that of the command. */
export function inside(holder: ProcessRecord, program: string, args: readonly string[]): CommandLine {
  return ['nsenter', ['--target', `${holder.pid}`, '--net', '--mount', '--', program, ...args]];
}
