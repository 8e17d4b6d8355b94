/**
 * `unshare --net --mount node hack/cluster/lifecycle-trial.ts`: starts a cluster, kills all of it from outside, starts it again and takes it
 * down, in network and mount namespaces of its own, so that a cluster in use is not touched. Prints what it saw as JSON.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cleanHost } from './clean.ts';
import { type ClusterAccess, clusterDown, clusterStatus, clusterUp } from './cluster.ts';
import { run, tryRun } from './command.ts';
import { controlGroupPids } from './control-groups.ts';
import { stateLayout } from './layout.ts';
import { readRecords } from './processes.ts';

/** What the trial saw. Times in seconds. */
export type LifecycleReport = {
  readonly firstUpSeconds: number;
  readonly secondUpSeconds: number;
  readonly killed: number;
  readonly stateAfterKill: string;
  readonly upAfterKillSeconds: number;
  readonly podsAfterKill: string;
  readonly downSeconds: number;
  /** Everything of the cluster that was still there after `down`; nothing is what it should be. */
  readonly left: readonly string[];
};

/** Folders that the node's programs write to whatever the state folder is: covered, so that the machine's own stay as they are. */
const COVERED = ['/var/lib/kubelet', '/var/lib/cni', '/run/containerd', '/var/log/containers'];

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = Date.now();
  await work();
  return (Date.now() - started) / 1000;
}

async function isolate(): Promise<void> {
  // kubelet's mounts must reach the containers, but nothing outside of this namespace.
  await run('mount', ['--make-rslave', '/']);
  await run('mount', ['--make-rshared', '/']);
  for (const folder of COVERED) {
    await run('mkdir', ['-p', folder]);
    await run('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  }
  await run('ip', ['link', 'set', 'lo', 'up']);
}

/** Ends every process of the cluster at once, as a machine that runs out of memory or a person with `kill -9` would. */
async function killEverything(): Promise<number> {
  const state = stateLayout();
  const pids = new Set([
    ...(await readRecords(state.processes)).map((record) => record.pid),
    ...(await controlGroupPids()),
  ]);
  for (const pid of await processesNaming(state.root)) pids.add(pid);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.size;
}

/** The processes, other than this one, whose command line names a file below `folder`. */
async function processesNaming(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const naming: number[] = [];
  for (const pid of pids) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid !== process.pid && line.includes(`${folder}/`)) naming.push(pid);
  }
  return naming;
}

async function remains(root: string): Promise<string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(root));
  const links = (await run('ip', ['-o', 'link'])).split('\n').filter((line) => /heddle0|veth/.test(line));
  const rules = (await run('nft', ['list', 'ruleset'])).split('\n').filter((line) => line !== '');
  const files = (await run('find', [...COVERED, '-not', '-type', 'd'])).split('\n').filter((line) => line !== '');
  const state = (await tryRun('ls', ['-d', root])).stdout.split('\n').filter((line) => line !== '');
  const processes = [...(await processesNaming(root)), ...(await controlGroupPids())].map((pid) => `process ${pid}`);
  return [...mounts, ...links, ...rules, ...files, ...state, ...processes];
}

async function tryLifecycle(): Promise<LifecycleReport> {
  let access: ClusterAccess | undefined;
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const up = async (): Promise<void> => {
    access = await clusterUp({ report });
  };
  const firstUpSeconds = await seconds(up);
  const secondUpSeconds = await seconds(up);
  const killed = await killEverything();
  const stateAfterKill = (await clusterStatus()).state;
  const upAfterKillSeconds = await seconds(up);
  const pods = ['--kubeconfig', access?.kubeconfig ?? '', 'get', 'pods', '-A', '--no-headers'];
  const podsAfterKill = await run(access?.kubectl ?? 'kubectl', pods);
  const downSeconds = await seconds(() => clusterDown({ report }));
  const left = await remains(stateLayout().root);
  return {
    firstUpSeconds,
    secondUpSeconds,
    killed,
    stateAfterKill,
    upAfterKillSeconds,
    podsAfterKill,
    downSeconds,
    left,
  };
}

// Two clusters may share a machine only with state folders, and so control groups, of their own.
process.env.HEDDLE_STATE = path.join(tmpdir(), `heddle-lifecycle-${process.pid}`);
await isolate();
try {
  process.stdout.write(`${JSON.stringify(await tryLifecycle(), null, 2)}\n`);
} finally {
  await cleanHost(stateLayout());
  await rm(stateLayout().root, { recursive: true, force: true });
}
