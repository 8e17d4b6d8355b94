import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { importArchive } from '../images/load.ts';
import { ETCD, ensureBinary } from './binaries.ts';
import { writeCertificates } from './certificates.ts';
import { tryRun } from './command.ts';
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  kubeletArguments,
  kubeletConfiguration,
  proxyArguments,
  schedulerArguments,
} from './components.ts';
import { cniConfiguration, containerdConfiguration } from './containerd.ts';
import { createControlGroup } from './control-groups.ts';
import { allowPodsOut } from './firewall.ts';
import { createBridge, overlaysWork, reachableResolvConf, recordHost } from './host.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import type { StateLayout } from './layout.ts';
import type { ProcessRecord } from './process-record.ts';
import { isRunning, type ProcessStart, readRecords, startProcess } from './processes.ts';

const READY_TIMEOUT_MS = 60_000;
const LOG_LINES = 8;

/**
 * Starts every component of the node on a clean machine, and returns when the API server answers and all others were started.
 * @param binaries the folder with the Kubernetes components.
 * @param archives images that kubelet needs before anything can be loaded.
 * @throws Error with the end of its log when a component ends or does not answer.
 */
export async function startNode(
  state: StateLayout,
  binaries: string,
  archives: readonly string[],
  report: (line: string) => void,
): Promise<void> {
  await recordHost(state);
  report('preparing network, certificates and configuration');
  await Promise.all([prepareHost(), writeConfiguration(state)]);
  const start = (name: string, program: string, args: readonly string[]): Promise<ProcessRecord> => {
    const log = path.join(state.logs, `${name}.log`);
    return startProcess(state.processes, {
      name,
      program,
      args,
      logFile: log,
      env: componentEnvironment(),
    } satisfies ProcessStart);
  };
  report('starting containerd, etcd and kube-apiserver');
  const containerd = await start('containerd', '/usr/bin/containerd', [
    '--config',
    path.join(state.containerd, 'config.toml'),
  ]);
  const etcd = await start('etcd', await ensureBinary(ETCD), etcdArguments(state));
  const apiServer = await start('kube-apiserver', path.join(binaries, 'kube-apiserver'), apiServerArguments(state));
  await Promise.all([
    untilReady(state, [containerd], () => existsSync(state.containerdSocket)).then(() => importAll(archives)),
    untilReady(state, [etcd, apiServer], () => apiAnswers(state, binaries)),
  ]);
  report('starting kube-controller-manager, kube-scheduler, kubelet and kube-proxy');
  const late: readonly (readonly [string, readonly string[]])[] = [
    ['kubelet', kubeletArguments(state)],
    ['kube-controller-manager', controllerManagerArguments(state)],
    ['kube-scheduler', schedulerArguments(state)],
    ['kube-proxy', proxyArguments(state)],
  ];
  for (const [name, args] of late) await start(name, path.join(binaries, name), args);
}

async function prepareHost(): Promise<void> {
  await createBridge();
  await allowPodsOut();
  await createControlGroup();
}

async function writeConfiguration(state: StateLayout): Promise<void> {
  for (const folder of [state.etcd, state.kubelet, state.podLogs, state.containerd, path.join(state.cni, 'conf')]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeCertificates(state.pki);
  const snapshotter = (await overlaysWork(state.containerd)) ? 'overlayfs' : 'native';
  const kubelet = kubeletConfiguration(state, await reachableResolvConf(state));
  await Promise.all([
    writeFile(path.join(state.containerd, 'config.toml'), containerdConfiguration(state, snapshotter)),
    writeFile(path.join(state.cni, 'conf', '10-heddle.conflist'), JSON.stringify(cniConfiguration(state), null, 2)),
    writeFile(path.join(state.pki, 'kubelet.yaml'), stringify(kubelet)),
    writeKubeconfig(state.pki, 'admin', state.kubeconfig),
    ...['kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'].map((name) =>
      writeKubeconfig(state.pki, name, path.join(state.pki, `${name}.kubeconfig`)),
    ),
  ]);
}

async function importAll(archives: readonly string[]): Promise<void> {
  for (const archive of archives) await importArchive(archive);
}

/**
 * Whether the API server serves, and has published how it authenticates others: controller-manager and scheduler end at once
 * when they look for that a moment too early.
 */
async function apiAnswers(state: StateLayout, binaries: string): Promise<boolean> {
  const get = async (url: string): Promise<boolean> => {
    const args = ['--kubeconfig', state.kubeconfig, '--request-timeout=2s', 'get', `--raw=${url}`];
    return (await tryRun(path.join(binaries, 'kubectl'), args)).code === 0;
  };
  return (
    (await get('/readyz')) &&
    (await get('/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication'))
  );
}

/** Components find their programs in Debian's places even where the caller's PATH lacks them, and talk to no proxy. */
function componentEnvironment(): NodeJS.ProcessEnv {
  const PATH = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  return { PATH, HOME: '/root', LANG: 'C.UTF-8' };
}

async function untilReady(
  state: StateLayout,
  needed: readonly ProcessRecord[],
  ready: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await ready())) {
    for (const record of needed) if (!(await isRunning(record))) throw await failure(state, record.name, 'ended');
    if (Date.now() > deadline) throw await failure(state, needed.at(-1)?.name ?? '', 'did not answer in time');
    await sleep(100);
  }
}

/**
 * Rejects when a component of the cluster ends.
 * @param signal ends the watch, and the promise then resolves.
 * @throws Error that names the component, with the end of its log.
 */
export async function watchComponents(state: StateLayout, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const record of await readRecords(state.processes)) {
      if (!(await isRunning(record)) && !signal.aborted) throw await failure(state, record.name, 'ended');
    }
    await sleep(500);
  }
}

async function failure(state: StateLayout, name: string, what: string): Promise<Error> {
  const file = path.join(state.logs, `${name}.log`);
  const log = await readFile(file, 'utf8').catch(() => '');
  return new Error(`${name} ${what}; the end of ${file}:\n${log.trim().split('\n').slice(-LOG_LINES).join('\n')}`);
}
