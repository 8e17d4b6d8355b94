import { existsSync } from 'node:fs';
import { tryRun } from './command.ts';

/** Something the machine lacks. The message is one sentence that says what, and the way out. */
export class PrerequisiteError extends Error {
  override readonly name = 'PrerequisiteError';
}

const WAY_OUT = 'or use any cluster you have: `npm run demo -- --context NAME`';

/** What decides whether this machine can hold the cluster. */
export type Machine = {
  readonly platform: string;
  readonly architecture: string;
  readonly userId: number;
};

/** This machine. */
export function thisMachine(): Machine {
  return { platform: process.platform, architecture: process.arch, userId: process.getuid?.() ?? -1 };
}

/** @throws PrerequisiteError where no node can run: not Linux, no root, an architecture nothing is built for. */
export function requireMachine(machine: Machine = thisMachine()): void {
  if (machine.platform !== 'linux') {
    throw new PrerequisiteError(
      `The local cluster needs Linux and this is ${machine.platform}: run it in a Linux machine, ${WAY_OUT}.`,
    );
  }
  if (!['x64', 'arm64'].includes(machine.architecture)) {
    throw new PrerequisiteError(
      `The local cluster needs an x64 or arm64 processor and this is ${machine.architecture}: ${WAY_OUT}.`,
    );
  }
  if (machine.userId !== 0) {
    throw new PrerequisiteError(
      `The local cluster runs a real kubelet and needs root: run the same command with sudo, ${WAY_OUT}.`,
    );
  }
}

/**
 * The version of the Go on the PATH, such as `go1.26.8`.
 * @throws PrerequisiteError when there is none.
 */
export async function requireGo(): Promise<string> {
  const go = await tryRun('go', ['env', 'GOVERSION']).catch(() => undefined);
  if (go === undefined || go.code !== 0) {
    throw new PrerequisiteError(
      `Go 1.26 or newer is needed once, to build Kubernetes for the local cluster: install it from go.dev/dl and put it on the PATH, ${WAY_OUT}.`,
    );
  }
  return go.stdout.trim();
}

/** The programs of Debian packages that the node runs, by package. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  containerd: ['/usr/bin/containerd', '/usr/bin/ctr'],
  runc: ['/usr/sbin/runc'],
  'containernetworking-plugins': ['/usr/lib/cni/bridge', '/usr/lib/cni/portmap'],
  nftables: ['/usr/sbin/nft'],
  iptables: ['/usr/sbin/iptables'],
  conntrack: ['/usr/sbin/conntrack'],
  iproute2: ['/usr/sbin/ip', '/sbin/ip', '/bin/ip', '/usr/bin/ip'],
};

/** The packages of the list that are not installed. A program may stand in one of several places for `iproute2` alone. */
export function missingPackages(exists: (file: string) => boolean = existsSync): string[] {
  return Object.entries(PACKAGES)
    .filter(([name, files]) => (name === 'iproute2' ? !files.some(exists) : !files.every(exists)))
    .map(([name]) => name);
}

/**
 * Installs the Debian packages that are missing and says which.
 * @throws PrerequisiteError on a machine without apt-get, or when apt-get fails.
 */
export async function installPackages(report: (line: string) => void): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  await aptInstall(missing, report);
  const still = missingPackages();
  if (still.length > 0)
    throw new PrerequisiteError(`apt-get installed ${still.join(', ')}, but not where Debian has it: ${WAY_OUT}.`);
}

/**
 * Installs Debian packages.
 * @throws PrerequisiteError as {@link installPackages}.
 */
export async function aptInstall(packages: readonly string[], report: (line: string) => void): Promise<void> {
  if (!existsSync('/usr/bin/apt-get')) {
    throw new PrerequisiteError(
      `The local cluster needs ${packages.join(', ')} where Debian puts them, and this machine has no apt-get: use Debian or Ubuntu, ${WAY_OUT}.`,
    );
  }
  report(`installing Debian packages: ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  if ((await tryRun('apt-get', install, { env })).code === 0) return;
  await tryRun('apt-get', ['update'], { env });
  const again = await tryRun('apt-get', install, { env });
  if (again.code === 0) return;
  const reason = again.stderr.trim().split('\n').at(-1) ?? '';
  throw new PrerequisiteError(
    `apt-get could not install ${packages.join(', ')} (${reason}): install them yourself, ${WAY_OUT}.`,
  );
}
