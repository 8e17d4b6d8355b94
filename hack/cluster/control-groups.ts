import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const MOUNT = '/sys/fs/cgroup';

/** Whether the machine has the unified hierarchy (cgroup v2) alone. */
export function isUnified(): boolean {
  return existsSync(path.join(MOUNT, 'cgroup.controllers'));
}

/** A node's control group in each hierarchy: one in version 2, one for each controller in version 1. */
async function groupPaths(name: string): Promise<string[]> {
  if (isUnified()) return [path.join(MOUNT, name)];
  const controllers = await readdir(MOUNT).catch(() => [] as string[]);
  return controllers.map((controller) => path.join(MOUNT, controller, name));
}

/** Creates the control group that a kubelet puts all its pods into, with every controller the machine has. */
export async function createControlGroup(name: string): Promise<void> {
  for (const group of await groupPaths(name)) {
    await mkdir(group, { recursive: true });
    if (isUnified()) await delegateControllers(MOUNT);
    else await inheritCpuSet(group);
  }
  if (isUnified()) await delegateControllers(path.join(MOUNT, name));
}

async function delegateControllers(group: string): Promise<void> {
  const controllers = (await readFile(path.join(group, 'cgroup.controllers'), 'utf8')).trim().split(/\s+/);
  // One at a time: a controller that can't be delegated must not hold back the others.
  for (const controller of controllers) {
    await writeFile(path.join(group, 'cgroup.subtree_control'), `+${controller}`).catch(() => {});
  }
}

/** A version 1 cpuset is born empty and takes no process until it has processors and memory nodes. */
async function inheritCpuSet(group: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const target = path.join(group, file);
    if (!existsSync(target)) continue;
    const inherited = await readFile(path.join(path.dirname(group), file), 'utf8');
    await writeFile(target, inherited.trim());
  }
}

/** The pids of all processes in a node's control group: pods' containers, whoever their parent is now. */
export async function controlGroupPids(name: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const root of await groupPaths(name)) {
    for (const group of await groupsBelow(root)) {
      const procs = await readFile(path.join(group, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const pid of procs.split('\n')) if (Number(pid) > 1) pids.add(Number(pid));
    }
  }
  return [...pids];
}

/** Removes a node's control group, which must be empty of processes. */
export async function removeControlGroup(name: string): Promise<void> {
  for (const root of await groupPaths(name)) {
    for (const group of (await groupsBelow(root)).reverse()) await rmdir(group).catch(() => {});
  }
}

/** A control group and all below it, parents first. */
async function groupsBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((e) => e.isDirectory()).map((e) => groupsBelow(path.join(root, e.name))),
  );
  return [root, ...below.flat()];
}
