import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { buildImages, importArchive } from '../images/load.ts';
import { dnsManifest } from './addons.ts';
import { cachedBinary, ETCD, ensureBinary, KUBERNETES, requireBuildable } from './binaries.ts';
import { cleanHost } from './clean.ts';
import { nodesWithImages } from './cluster-node.ts';
import { run } from './command.ts';
import { whileComponentsRun } from './component-start.ts';
import { COREDNS_IMAGE, NODE_NAME, PAUSE_IMAGE, type StateLayout, stateLayout } from './layout.ts';
import { withClusterLock } from './lock.ts';
import { startNode } from './node.ts';
import { type ClusterAccess, nodeCondition, untilNodeReady } from './node-condition.ts';
import { installPackages, requireMachine } from './prerequisites.ts';
import { isRunning, readRecords } from './processes.ts';

export type ClusterOptions = {
  /** Takes one line for each step; the default writes nothing. */
  readonly report?: (line: string) => void;
};

export type ClusterStatus = {
  /** `Running`: every process runs and the node is Ready. `Broken`: some of it is there. `Down`: nothing is. */
  readonly state: 'Running' | 'Broken' | 'Down';
  readonly node: string;
  readonly components: readonly { readonly name: string; readonly pid: number; readonly running: boolean }[];
};

/** Every process of a whole cluster. */
const COMPONENTS = [
  'containerd',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubelet',
];

const SILENT = (): void => {};

/** The path of the kubectl that was built with the cluster; built now if the cache does not have it. */
export async function kubectlBinary(): Promise<string> {
  return path.join(path.dirname(await ensureBinary(KUBERNETES)), 'kubectl');
}

/**
 * Starts the local cluster and returns when its node is Ready and its DNS serves. A running one stays as it is; what a killed
 * one left is removed first. The first time, Kubernetes is built, which takes minutes.
 * @throws PrerequisiteError in one sentence when the machine can't hold it; Error with the log's end when a component fails.
 */
export async function clusterUp(options: ClusterOptions = {}): Promise<ClusterAccess> {
  const report = options.report ?? SILENT;
  requireMachine();
  const state = stateLayout();
  return withClusterLock(report, async () => {
    await requireBuildable();
    await installPackages(report);
    const kubectl = await kubectlBinary();
    const access = { kubeconfig: state.kubeconfig, kubectl };
    await ensureBinary(ETCD);
    const images = await systemImages();
    const before = await clusterStatus();
    if (before.state === 'Running') {
      report('the cluster is already up');
      return access;
    }
    if (before.state === 'Broken' || existsSync(state.root)) {
      report('removing what an earlier cluster left');
      await cleanHost(state);
    }
    await startNode(state, path.dirname(kubectl), images, report);
    report('waiting for the node and DNS');
    await waitForNode(access, state);
    return access;
  });
}

/**
 * Stops the local cluster and removes everything it made but the caches. Harmless when there is none.
 * @throws PrerequisiteError without root.
 */
export async function clusterDown(options: ClusterOptions = {}): Promise<void> {
  const report = options.report ?? SILENT;
  requireMachine();
  await withClusterLock(report, async () => {
    report('stopping the cluster');
    await cleanHost(stateLayout());
  });
}

/** What of the local cluster runs now. Needs root to read the state folder; without it the cluster looks down. */
export async function clusterStatus(): Promise<ClusterStatus> {
  const state = stateLayout();
  const records = await readRecords(state.processes);
  const components = await Promise.all(
    records.map(async (record) => ({ name: record.name, pid: record.pid, running: await isRunning(record) })),
  );
  components.sort((a, b) => a.name.localeCompare(b.name));
  const running = components.filter((component) => component.running).map((component) => component.name);
  if (running.length === 0) return { state: components.length === 0 ? 'Down' : 'Broken', node: 'absent', components };
  const kubernetes = await cachedBinary(KUBERNETES);
  const kubectl = path.join(path.dirname(kubernetes ?? ''), 'kubectl');
  const node =
    kubernetes === undefined ? 'unknown' : await nodeCondition({ kubeconfig: state.kubeconfig, kubectl }, NODE_NAME);
  const whole = COMPONENTS.every((name) => running.includes(name)) && node === 'Ready';
  return { state: whole ? 'Running' : 'Broken', node, components };
}

/** The archives of the two images without which no pod starts and no name resolves. */
async function systemImages(): Promise<string[]> {
  return (await buildImages([PAUSE_IMAGE, COREDNS_IMAGE])).map((image) => image.archive);
}

async function waitForNode(access: ClusterAccess, state: StateLayout): Promise<void> {
  try {
    await whileComponentsRun(state, () => serveDns(access));
  } catch (cause) {
    const log = await readFile(path.join(state.logs, 'kubelet.log'), 'utf8').catch(() => '');
    const end = log.trim().split('\n').slice(-5).join('\n');
    const message = `the node did not become Ready: ${(cause as Error).message}\nthe end of kubelet's log:\n${end}`;
    throw new Error(`${message}\nall logs: ${state.logs}`, { cause });
  }
}

async function serveDns(access: ClusterAccess): Promise<void> {
  const kubectl = (args: readonly string[], input = ''): Promise<string> =>
    run(access.kubectl, ['--kubeconfig', access.kubeconfig, ...args], { input });
  await kubectl(['apply', '--filename=-'], dnsManifest());
  await untilNodeReady(access, NODE_NAME);
  await kubectl(['-n', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=90s']);
  // Pods are refused in a namespace that has no default ServiceAccount yet.
  await kubectl(['-n', 'default', 'wait', '--for=create', 'serviceaccount/default', '--timeout=60s']);
}

/** Imports image archives into every node of the running cluster. @throws Error when it is not running, or a file is no image archive. */
export async function clusterLoad(archives: readonly string[], report: (line: string) => void = SILENT): Promise<void> {
  requireMachine();
  const state = stateLayout();
  if (!existsSync(state.containerdSocket))
    throw new Error('the local cluster is not up: start it with `npm run cluster -- up`');
  for (const archive of archives) {
    if (!existsSync(archive)) throw new Error(`there is no file ${archive}`);
    for (const node of nodesWithImages(state)) await importArchive(path.resolve(archive), node.state);
    report(`loaded ${archive}`);
  }
}
