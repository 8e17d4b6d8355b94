/**
 * `unshare --net --mount node hack/cluster/lifecycle-trial.ts`: starts a cluster of two nodes, kills all of it from outside, starts it again
 * and takes it down, in network and mount namespaces of its own, so that a cluster in use is not touched. Prints what it saw as JSON.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cleanHost } from './clean.ts';
import { clusterDown, clusterStatus, clusterUp } from './cluster.ts';
import { firstNode, secondNode } from './cluster-node.ts';
import { run, tryRun } from './command.ts';
import { controlGroupPids } from './control-groups.ts';
import { COVERED_FOLDERS } from './host.ts';
import { stateLayout } from './layout.ts';
import type { ClusterAccess } from './node-condition.ts';
import type { ProcessRecord } from './process-record.ts';
import { isRunning, readRecords } from './processes.ts';
import { addSecondNode } from './second-node.ts';

/** What the trial saw. Times in seconds. */
export type LifecycleReport = {
  readonly firstUpSeconds: number;
  readonly secondUpSeconds: number;
  readonly nodesBeforeKill: string;
  readonly killed: number;
  readonly stateAfterKill: string;
  readonly upAfterKillSeconds: number;
  readonly podsAfterKill: string;
  readonly downSeconds: number;
  /** Everything of the cluster that was still there after `down`; nothing is what it should be. */
  readonly left: readonly string[];
};

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = Date.now();
  await work();
  return (Date.now() - started) / 1000;
}

async function isolate(): Promise<void> {
  // kubelet's mounts must reach the containers, but nothing outside of this namespace.
  await run('mount', ['--make-rslave', '/']);
  await run('mount', ['--make-rshared', '/']);
  // The node's programs write there whatever the state folder is: the machine's own stay as they are.
  for (const folder of COVERED_FOLDERS) {
    await run('mkdir', ['-p', folder]);
    await run('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  }
  await run('ip', ['link', 'set', 'lo', 'up']);
}

/** The pods' processes, on both nodes. */
async function podPids(): Promise<number[]> {
  const groups = [firstNode, secondNode].map((node) => controlGroupPids(node(stateLayout()).controlGroup));
  return (await Promise.all(groups)).flat();
}

/** The components of both nodes. */
async function recordsOfBoth(): Promise<ProcessRecord[]> {
  const folders = [firstNode, secondNode].map((node) => node(stateLayout()).state.processes);
  return (await Promise.all(folders.map(readRecords))).flat();
}

/** Ends every process of the cluster at once, as a machine that runs out of memory or a person with `kill -9` would. */
async function killEverything(): Promise<number> {
  const state = stateLayout();
  const pids = new Set([...(await readRecords(state.processes)).map((record) => record.pid), ...(await podPids())]);
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
  const links = (await run('ip', ['-o', 'link'])).split('\n').filter((line) => /heddle[01]|veth/.test(line));
  const rules = (await run('nft', ['list', 'ruleset'])).split('\n').filter((line) => line !== '');
  const files = (await run('find', [...COVERED_FOLDERS, '-not', '-type', 'd']))
    .split('\n')
    .filter((line) => line !== '');
  const state = (await tryRun('ls', ['-d', root])).stdout.split('\n').filter((line) => line !== '');
  const processes = [...(await processesNaming(root)), ...(await podPids())].map((pid) => `process ${pid}`);
  return [...mounts, ...links, ...rules, ...files, ...state, ...processes];
}

async function tryLifecycle(): Promise<LifecycleReport> {
  let access: ClusterAccess | undefined;
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const up = async (): Promise<void> => {
    access = await clusterUp({ report });
  };
  const kubectl = (...args: string[]): Promise<string> =>
    run(access?.kubectl ?? 'kubectl', ['--kubeconfig', access?.kubeconfig ?? '', ...args]);
  const firstUpSeconds = await seconds(up);
  const secondUpSeconds = await seconds(up);
  await addSecondNode({ images: [], report });
  const nodesBeforeKill = await kubectl('get', 'nodes', '--no-headers');
  const components = await recordsOfBoth();
  const killed = await killEverything();
  const stateAfterKill = (await clusterStatus()).state;
  const upAfterKillSeconds = await seconds(up);
  const podsAfterKill = await kubectl('get', 'pods', '-A', '--no-headers');
  const downSeconds = await seconds(() => clusterDown({ report }));
  // What holds the second node's namespaces names no folder: it is not among the killed, and known by its record alone.
  const running = await Promise.all(components.map(async (one) => ((await isRunning(one)) ? [one.name] : [])));
  const left = [...(await remains(stateLayout().root)), ...running.flat()];
  return {
    firstUpSeconds,
    secondUpSeconds,
    nodesBeforeKill,
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
