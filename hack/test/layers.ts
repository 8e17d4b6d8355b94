import { availableParallelism } from 'node:os';
import type { Program } from './programs.ts';

/** A layer of the tests. The order is the order they run in: what breaks first should be what is cheapest to mend. */
export interface Layer {
  readonly name: string;
  /** What is in it, for `--help`. */
  readonly about: string;
  /** What it needs to be there before it runs. */
  readonly needs: 'nothing' | 'cluster' | 'heddle';
  /** What its tests run on this machine, besides what its cluster does; had before the layer's time begins. */
  readonly programs: readonly Program[];
  /** After so long the layer is ended, and counts as failed. */
  readonly minutes: number;
  /** What Jest runs; undefined: it is the linter and the type checker. */
  readonly jest: Selection | undefined;
  /** Whether it is left out unless it is named: what it needs takes longer to build than all others take to run. */
  readonly byName?: true;
}

/** Files that Jest runs, chosen by their absolute path, and how. */
export interface Selection {
  /** Regular expression of the files. */
  readonly only: string;
  /** Regular expressions of those among them that are another layer's. */
  readonly not: readonly string[];
  readonly options: readonly string[];
}

/** What is built or not ours; Jest leaves out `node_modules` only unless told more. */
const FOREIGN = ['/node_modules/', '/dist/'];

/** Folders whose tests are layers of their own; everything else stands beside its file. */
const FOLDERS = '/test/(feature|integration|e2e|keda|bench|fuzz)/';

/** Tests that try many random cases, or live through whole releases: what they cost goes with how many. */
const RANDOM = '\\.property\\.test\\.ts$';

/** What takes so long hangs, in ms. Jest's own five seconds are too few for some on a busy machine. */
const HANG_MS = '20000';

/** On two cores Jest would else run one file after the other; some wait for clocks and processes most of the time. */
const WORKERS = ['--maxWorkers', String(Math.ceil(availableParallelism() * 1.5))];

export const LAYERS: readonly Layer[] = [
  {
    name: 'lint',
    about: 'Biome, the import law, and the types',
    minutes: 10,
    needs: 'nothing',
    programs: [],
    jest: undefined,
  },
  {
    name: 'unit',
    about: 'tests beside their files, golden files included; no root, no cluster',
    minutes: 10,
    needs: 'nothing',
    programs: ['Envoy'],
    jest: {
      only: '\\.test\\.ts$',
      not: [FOLDERS, RANDOM],
      options: [...WORKERS, '--testTimeout', HANG_MS],
    },
  },
  {
    name: 'property',
    about: 'random cases of what must always hold, and simulated releases; no root, no cluster',
    minutes: 10,
    needs: 'nothing',
    programs: [],
    jest: { only: RANDOM, not: [FOLDERS], options: [...WORKERS, '--testTimeout', HANG_MS] },
  },
  {
    name: 'feature',
    about: 'objects in, resources out of a real stream; malformed input',
    minutes: 10,
    needs: 'nothing',
    programs: ['Envoy', 'Valkey', 'Prometheus', 'OpenTelemetry collector', 'Chromium'],
    jest: { only: '/test/(feature|fuzz)/', not: [], options: [...WORKERS, '--testTimeout', HANG_MS] },
  },
  {
    name: 'integration',
    about: 'a real API server',
    minutes: 10,
    needs: 'cluster',
    programs: ['cert-manager', 'GitOps engines'],
    jest: { only: '/test/integration/', not: [], options: ['--runInBand', '--testTimeout', '60000'] },
  },
  {
    name: 'e2e',
    about: 'a real node with real pods and real traffic, three files at a time',
    minutes: 40,
    needs: 'heddle',
    programs: ['Chromium'],
    // They wait for pods most of the time, and each has namespaces of its own.
    jest: { only: '/test/e2e/[^/]+/[^/]+$', not: [], options: ['--maxWorkers', '3', '--testTimeout', '300000'] },
  },
  {
    name: 'e2e-alone',
    about:
      'the same, one file at a time: the operator is restarted, latencies are compared or the cluster itself is tried',
    minutes: 60,
    needs: 'heddle',
    programs: [],
    jest: { only: '/test/e2e/[^/]*$', not: [], options: ['--runInBand', '--testTimeout', '300000'] },
  },
  {
    name: 'keda',
    about: 'releases of what KEDA scales; only by its name, for KEDA is built first',
    minutes: 20,
    needs: 'heddle',
    programs: ['KEDA'],
    jest: { only: '/test/keda/', not: [], options: ['--runInBand', '--testTimeout', '300000'] },
    byName: true,
  },
];

/**
 * Chooses layers by name.
 * @param names all layers when empty, but for those that run by name alone
 * @throws {Error} for a name that is none, listing those there are
 */
export function chooseLayers(names: readonly string[]): readonly Layer[] {
  const unknown = names.find((name) => !LAYERS.some((layer) => layer.name === name));
  if (unknown !== undefined) {
    throw new Error(`there is no layer "${unknown}"; there are ${LAYERS.map(({ name }) => name).join(', ')}`);
  }
  return LAYERS.filter(({ name, byName }) => (names.length === 0 ? byName !== true : names.includes(name)));
}

/** Arguments by which Jest runs a layer's files and no others. */
export function jestArguments({ only, not, options }: Selection): readonly string[] {
  return [...options, '--testPathPatterns', only, '--testPathIgnorePatterns', ...FOREIGN, ...not];
}

/** What a cluster on this machine runs, by what a layer needs of it; Heddle's own images need no more than is there or quickly made. */
const IN_CLUSTER: Readonly<Record<Layer['needs'], readonly Program[]>> = {
  nothing: [],
  cluster: ['etcd', 'Kubernetes', 'CoreDNS'],
  heddle: ['etcd', 'Kubernetes', 'CoreDNS', 'metrics server', 'packet capture', 'OpenTelemetry collector'],
};

/**
 * The programs that must be there before a layer runs.
 * @param isLocal whether the cluster is one on this machine
 */
export function programsOf({ needs, programs }: Layer, isLocal: boolean): readonly Program[] {
  return isLocal ? [...IN_CLUSTER[needs], ...programs] : programs;
}
