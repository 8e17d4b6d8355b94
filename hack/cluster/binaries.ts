import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Durations } from '../../cli/terminal/durations.ts';
import { formatSeconds, remainingSeconds, shownFraction } from '../../cli/terminal/estimate.ts';
import { type ProgressBar, startProgress } from '../../cli/terminal/progress.ts';
import { run, tryRun } from './command.ts';
import { cacheDirectory, KUBERNETES_VERSION } from './layout.ts';
import { requireGo } from './prerequisites.ts';
import { noteUse, removeUnused } from './unused.ts';

/** A Go program, and what is known of building it: counts and times are those of two cores with empty caches. */
export type GoProgram = {
  /** That of its module. */
  readonly folder: string;
  /** Folder of its package within the module, where that is not the module's own. */
  readonly main?: string;
  /** Import path of what is built, where that is the command of another module. */
  readonly command?: string;
  readonly binary: string;
  readonly linkerFlags: string;
  /** Other names the binary is called by. */
  readonly names: readonly string[];
  readonly expectedSeconds: number;
  readonly expectedPackages: number;
};

const CLUSTER_FOLDER = path.dirname(fileURLToPath(import.meta.url));

/** One module, for what has been compiled for Kubernetes need not be compiled again for the others: most of what they are made of. */
const KUBERNETES_MODULE = path.join(CLUSTER_FOLDER, 'kubernetes');

export const KUBERNETES: GoProgram = {
  folder: KUBERNETES_MODULE,
  binary: 'kubernetes',
  linkerFlags: `-s -w -X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`,
  names: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl'],
  expectedSeconds: 470,
  expectedPackages: 2737,
};

export const ETCD: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, 'etcd'),
  binary: 'etcd',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 35,
  expectedPackages: 330,
};

export const COREDNS: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, 'coredns'),
  binary: 'coredns',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 75,
  expectedPackages: 900,
};

/** Programs of the images that are a few lines of Go: the pause container and Envoy's entry point. */
export const TINY: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, '..', 'images', 'tiny'),
  binary: 'tiny',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 5,
  expectedPackages: 60,
};

/** Prints the packets that a node sees, for the end-to-end tests. */
export const CAPTURE: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, '..', 'images', 'capture'),
  binary: 'capture',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 10,
  expectedPackages: 110,
};

/** Keeps a CA in a Secret, for the integration tests. */
export const CERT_MANAGER: GoProgram = {
  folder: KUBERNETES_MODULE,
  main: 'cert-manager',
  binary: 'cert-manager',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 140,
  expectedPackages: 1187,
};

/** Tells what pods use, for the end-to-end tests. */
export const METRICS_SERVER: GoProgram = {
  folder: KUBERNETES_MODULE,
  main: 'metrics-server',
  binary: 'metrics-server',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 170,
  expectedPackages: 1336,
};

/**
 * Compares manifests with a cluster, and syncs them, by the libraries of Argo CD and Flux, for the integration tests. A module of its own, for these
 * want other versions of what Kubernetes is made of; where they don't, its are named, and what has been compiled of them is not compiled again: 667 packages.
 */
export const GITOPS: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, '..', 'gitops'),
  binary: 'gitops',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 40,
  expectedPackages: 947,
};

/** A module of its own: it talks to every queue there is, and none of them is another program's. */
const KEDA_MODULE = path.join(CLUSTER_FOLDER, '..', 'keda');
const KEDA_COMMANDS = 'github.com/kedacore/keda/v2/cmd';

/** Scales workloads by what waits for them, for tests that are run by name. */
export const KEDA_OPERATOR: GoProgram = {
  folder: KEDA_MODULE,
  command: `${KEDA_COMMANDS}/operator`,
  binary: 'keda-operator',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 600,
  expectedPackages: 3338,
};

/** Tells HorizontalPodAutoscalers what KEDA's operator knows. */
export const KEDA_ADAPTER: GoProgram = {
  ...KEDA_OPERATOR,
  command: `${KEDA_COMMANDS}/adapter`,
  binary: 'keda-adapter',
  expectedSeconds: 60,
  expectedPackages: 3680,
};

/** Takes traces and logs, for the feature and end-to-end tests. */
export const OTEL_COLLECTOR: GoProgram = {
  folder: path.join(CLUSTER_FOLDER, '..', 'otel-collector'),
  binary: 'otel-collector',
  linkerFlags: '-s -w',
  names: [],
  expectedSeconds: 100,
  expectedPackages: 800,
};

/** The folder with the program's binary and its other names; it need not exist yet. Keyed by everything that goes into the binary. */
export async function binaryFolder(program: GoProgram): Promise<string> {
  const said = [process.arch, ...buildFlags(program), ...program.names].join(' ');
  const hash = createHash('sha256').update(`${said}\n`);
  const sources = (await readdir(packageFolder(program))).filter((name) => name.endsWith('.go')).sort();
  const files = ['go.mod', 'go.sum'].map((name) => path.join(program.folder, name));
  for (const file of [...files, ...sources.map((name) => path.join(packageFolder(program), name))]) {
    // Not every module has a go.sum.
    const text = await readFile(file).catch(() => '');
    hash.update(`${path.basename(file)}\n`).update(text);
  }
  return path.join(cacheDirectory(), 'bin', `${program.binary}-${hash.digest('hex').slice(0, 16)}`);
}

const packageFolder = ({ folder, main = '' }: GoProgram): string => path.join(folder, main);

/** As the Dockerfile builds them, but for what makes them quick to compile: nothing for debuggers, and functions not put into their callers, except in Go's own library. */
function buildFlags({ linkerFlags }: GoProgram): readonly string[] {
  const compiler = ['-gcflags=all=-dwarf=false -l', '-gcflags=std=-dwarf=false'];
  return ['-buildvcs=false', '-trimpath', ...compiler, '-ldflags', linkerFlags];
}

/** The path of a program's binary if it is built. */
export async function cachedBinary(program: GoProgram): Promise<string | undefined> {
  const binary = path.join(await binaryFolder(program), program.binary);
  return existsSync(binary) ? binary : undefined;
}

/**
 * Makes sure, before anything is changed on the machine, that what must be built can be.
 * @throws PrerequisiteError when a binary of the cluster is not in the cache and Go is missing.
 */
export async function requireBuildable(): Promise<void> {
  const cached = await Promise.all([KUBERNETES, ETCD, COREDNS, TINY].map(cachedBinary));
  if (cached.includes(undefined)) await requireGo();
}

/** Draws how far a build is. */
export type Show = (title: string) => ProgressBar;

/** What is built by this process now, by its folder. */
const underWay = new Map<string, Promise<string>>();

/**
 * The path of a program's binary, built if the cache does not have it. A build removes binaries of before that nothing has used for a month.
 * @param show draws how far a build is
 * @throws PrerequisiteError without Go; Error with the compiler's words when the build fails.
 */
export async function ensureBinary(program: GoProgram, show: Show = startProgress): Promise<string> {
  const folder = await binaryFolder(program);
  const running = underWay.get(folder);
  if (running !== undefined) return running;
  const binary = findOrBuild(program, folder, show).finally(() => underWay.delete(folder));
  underWay.set(folder, binary);
  return binary;
}

async function findOrBuild(program: GoProgram, folder: string, show: Show): Promise<string> {
  const cached = await cachedBinary(program);
  if (cached !== undefined) {
    await noteUse(folder);
    return cached;
  }
  await requireGo();
  // Built beside its place and moved there whole: an interrupted build leaves nothing that looks finished.
  const temporary = `${folder}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  try {
    await build(program, path.join(temporary, program.binary), show);
    for (const name of program.names) await symlink(program.binary, path.join(temporary, name));
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
    await removeUnused(path.dirname(folder));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return path.join(folder, program.binary);
}

async function build(program: GoProgram, output: string, show: Show): Promise<void> {
  const durations = new Durations(path.join(cacheDirectory(), 'durations.json'));
  const job = `build ${program.binary}`;
  const expectedSeconds = (await durations.recall(job)) ?? program.expectedSeconds;
  // The modules are built as they are committed, whatever the user's own Go settings say.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly' };
  const total = await countPackages(program, env);
  const bar = show(`building ${program.binary}`);
  const started = Date.now();
  const elapsed = (): number => (Date.now() - started) / 1000;
  let compiled = 0;
  let current = 'loading packages';
  const draw = (): void => {
    const progress = { expectedSeconds, elapsedSeconds: elapsed(), fraction: Math.min(0.99, compiled / total) };
    const left = remainingSeconds(progress);
    const estimate = left === undefined ? '' : `about ${formatSeconds(left)} left, `;
    bar.update(shownFraction(progress), `${estimate}${compiled} packages, ${current}`);
  };
  const timer = setInterval(draw, 500);
  try {
    const args = ['build', '-v', ...buildFlags(program), '-o', output, program.command ?? '.'];
    await run('go', args, {
      cwd: packageFolder(program),
      env,
      timeoutMs: 3_600_000,
      // The tests that need it not yet run meanwhile (`hack/test/programs.ts`).
      isPatient: true,
      onErrorLine: (line) => {
        if (!line.startsWith('go: downloading')) compiled += 1;
        current = line.replace(/^go: /, '').slice(0, 60);
        draw();
      },
    });
  } finally {
    clearInterval(timer);
  }
  bar.finish(`built in ${formatSeconds(elapsed())}`);
  // A build from Go's own cache says nothing about the next one from scratch.
  if (compiled > total / 2) await durations.remember(job, elapsed());
}

/** How many packages the program has, standard library included; the recorded count when Go can't say. */
async function countPackages(program: GoProgram, env: NodeJS.ProcessEnv): Promise<number> {
  const listed = await tryRun('go', ['list', '-deps', program.command ?? '.'], { cwd: packageFolder(program), env });
  const count = listed.code === 0 ? listed.stdout.split('\n').length - 1 : 0;
  return Math.max(1, count || program.expectedPackages);
}
