import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run, tryRun } from './command.ts';
import { firewallTables } from './firewall.ts';
import {
  BRIDGE,
  CNI_NETWORK,
  NODE_ADDRESS,
  POD_PREFIX,
  POD_PREFIX_LENGTH,
  SERVICE_PREFIX,
  type StateLayout,
} from './layout.ts';

/** What the machine was like before the cluster changed it, so that `down` can put it back. */
export type HostRecord = {
  readonly sysctls: Readonly<Record<string, string>>;
  readonly firewallTables: readonly string[];
  /** Those of {@link FOREIGN_FOLDERS} that existed. */
  readonly folders: readonly string[];
};

/** Kernel settings that we, kubelet or kube-proxy change. */
const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'net/bridge/bridge-nf-call-iptables',
  'net/bridge/bridge-nf-call-ip6tables',
  'net/netfilter/nf_conntrack_tcp_timeout_established',
  'net/netfilter/nf_conntrack_tcp_timeout_close_wait',
  'net/netfilter/nf_conntrack_tcp_be_liberal',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** Folders outside the state folder whose place kubelet, containerd and the CNI library do not let us choose. */
const FOREIGN_FOLDERS = [
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/log/containers',
  '/var/log/pods',
  '/run/containerd',
  '/run/flannel',
  '/etc/cni/net.d',
  '/opt/containerd',
];

/** Those of them that the programs of a second node would write to as well, were they not covered. */
export const COVERED_FOLDERS = ['/var/lib/kubelet', '/var/lib/cni', '/run/containerd', '/var/log/containers'];

/** kubelet's socket for device plugins has this path whatever kubelet's own folder is. */
const KUBELET_SOCKET = '/var/lib/kubelet/device-plugins/kubelet.sock';

/** Writes down what the machine is like; the first record stands until the cluster is down, however often it is started. */
export async function recordHost(state: StateLayout): Promise<void> {
  if (existsSync(state.hostRecord)) return;
  const sysctls: Record<string, string> = {};
  for (const name of SYSCTLS) {
    const value = await readFile(`/proc/sys/${name}`, 'utf8').catch(() => undefined);
    if (value !== undefined) sysctls[name] = value.trim();
  }
  const record: HostRecord = {
    sysctls,
    firewallTables: await firewallTables(),
    folders: FOREIGN_FOLDERS.filter((folder) => existsSync(folder)),
  };
  await mkdir(state.root, { recursive: true, mode: 0o700 });
  await writeFile(state.hostRecord, `${JSON.stringify(record, null, 2)}\n`);
}

/** The record that {@link recordHost} wrote, or undefined. */
export async function readHostRecord(state: StateLayout): Promise<HostRecord | undefined> {
  try {
    return JSON.parse(await readFile(state.hostRecord, 'utf8')) as HostRecord;
  } catch {
    return undefined;
  }
}

/** Puts the recorded kernel settings back and removes the folders that were not there, as far as they are empty. */
export async function restoreHost(record: HostRecord): Promise<void> {
  for (const [name, value] of Object.entries(record.sysctls)) {
    const now = await readFile(`/proc/sys/${name}`, 'utf8').catch(() => undefined);
    if (now !== undefined && now.trim() !== value) await writeFile(`/proc/sys/${name}`, value).catch(() => {});
  }
  for (const folder of FOREIGN_FOLDERS) {
    if (!record.folders.includes(folder)) await removeEmptyFolders(folder);
  }
}

async function removeEmptyFolders(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(path.join(folder, entry.name));
  await rmdir(folder).catch(() => {});
}

/** Creates the bridge with the node's address on it, and lets the kernel forward and filter what crosses it. */
export async function createBridge(): Promise<void> {
  await tryRun('modprobe', ['-a', 'br_netfilter', 'overlay']).catch(() => undefined);
  if ((await tryRun('ip', ['link', 'show', BRIDGE])).code !== 0)
    await run('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  await run('ip', ['address', 'replace', `${NODE_ADDRESS}/${POD_PREFIX_LENGTH}`, 'dev', BRIDGE]);
  await run('ip', ['link', 'set', BRIDGE, 'up']);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  // Without it, the answer of a pod to its neighbour goes straight over the bridge and keeps the pod's address
  // where the neighbour had asked a Service.
  const filter = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  if (!existsSync(filter))
    throw new Error('the kernel has no br_netfilter module, without which Services do not work between pods');
  await writeFile(filter, '1');
}

/** Removes the bridge, the pods' ends that hang on it, and the connections the kernel remembers for them. */
export async function removeBridge(): Promise<void> {
  const links = await tryRun('ip', ['-o', 'link', 'show', 'master', BRIDGE]);
  for (const line of links.stdout.split('\n')) {
    const name = /^\d+: ([^:@]+)/.exec(line)?.[1];
    if (name !== undefined) await tryRun('ip', ['link', 'delete', name]);
  }
  await tryRun('ip', ['link', 'delete', BRIDGE]);
  for (const prefix of [POD_PREFIX, SERVICE_PREFIX]) await forgetConnections(prefix);
}

/** Removes the connections that the kernel remembers for some addresses. */
export async function forgetConnections(prefix: string): Promise<void> {
  for (const side of ['-s', '-d', '-r', '-q']) await tryRun('conntrack', ['-D', side, prefix]).catch(() => undefined);
}

/** The mount points at or below `folder` in the text of `/proc/self/mountinfo`, innermost first. */
export function mountsBelow(mountInfo: string, folder: string): string[] {
  return mountInfo
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

/** Unmounts everything at or below `folder`. Mounts can lie on top of each other, so it looks again until there are none. */
export async function unmountBelow(folder: string): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    const points = mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), folder);
    if (points.length === 0) return;
    for (const point of points) await tryRun('umount', ['--lazy', point]);
  }
  throw new Error(`something below ${folder} can't be unmounted; see: grep ${folder} /proc/self/mountinfo`);
}

/** Removes what kubelet and containerd leave at places of their own: log links, address results, sockets of dead shims. */
export async function removeForeignFiles(state: StateLayout): Promise<void> {
  for (const link of await entriesOf('/var/log/containers')) {
    const target = await readlink(link).catch(() => '');
    if (target.startsWith(`${state.podLogs}/`)) await unlink(link).catch(() => {});
  }
  for (const file of await entriesOf('/var/lib/cni/results')) {
    // Results of the loopback network carry no name of ours, but where the pod's network namespace was mounted.
    const text = await readFile(file, 'utf8').catch(() => '');
    const isOurs = path.basename(file).startsWith(`${CNI_NETWORK}-`) || text.includes(`"${state.root}/`);
    if (isOurs) await unlink(file).catch(() => {});
  }
  const listening = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  for (const socket of [...(await entriesOf('/run/containerd/s')), KUBELET_SOCKET]) {
    const isDead = !listening.split('\n').some((line) => line.endsWith(` ${socket}`));
    if (isDead) await unlink(socket).catch(() => {});
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [] as string[])).map((name) => path.join(folder, name));
}

/** Whether overlays can be mounted on the file system of `folder`: not so inside most containers. */
export async function overlaysWork(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const trial = await mkdtemp(path.join(folder, 'overlay-'));
  const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => path.join(trial, name));
  for (const each of [lower, upper, work, merged]) if (each !== undefined) await mkdir(each);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const mounted = await tryRun('mount', ['-t', 'overlay', 'overlay', '-o', options, merged ?? trial]);
  if (mounted.code === 0) await tryRun('umount', [merged ?? trial]);
  await rm(trial, { recursive: true, force: true });
  return mounted.code === 0;
}

/**
 * The file that names DNS servers pods can reach. A server on the host's loopback (systemd-resolved) can't be reached from a pod,
 * so then the list behind it is taken.
 */
export async function reachableResolvConf(state: StateLayout): Promise<string> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (/^\s*nameserver\s+(?!127\.|::1)/m.test(text)) return file;
  }
  const empty = path.join(state.root, 'resolv.conf');
  await writeFile(empty, '# no DNS server of this machine can be reached from a pod\n');
  return empty;
}
