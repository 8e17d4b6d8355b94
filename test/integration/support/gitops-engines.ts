import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll } from '@jest/globals';
import { ensureBinary, GITOPS } from '../../../hack/cluster/binaries.ts';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';

/** How an Application or a Kustomization compares and syncs. */
export interface Way {
  readonly engine: 'argocd' | 'flux';
  /** Of an Application: its sync option. With it, it also compares otherwise. */
  readonly serverSideApply?: boolean;
  /** Of an Application: it compares by a dry run. */
  readonly serverSideDiff?: boolean;
  /** Of an Application: `managedFieldsManagers` of its `ignoreDifferences`. */
  readonly ignoredManagers?: readonly string[];
}

interface Outcome {
  readonly kind: string;
  readonly name: string;
  readonly modified: boolean;
  readonly live?: object;
  readonly wanted?: object;
}

/** The libraries by which Argo CD and Flux decide and apply (`hack/gitops`), at the cluster under test. */
export class GitopsEngines {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(program: string, kubeconfig: string, folder: string) {
    const env = { ...process.env, TMPDIR: folder, HOME: folder };
    this.#process = spawn(program, ['-kubeconfig', kubeconfig], { stdio: ['pipe', 'pipe', 'inherit'], env });
    if (!this.#process.stdout) throw new Error('the engines have no output');
    this.#reader = createInterface({ input: this.#process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /**
   * What is out of sync, as the engine sees it.
   * @returns `Kind/name: path live → wanted` for each field that the engine would change
   */
  async drift(way: Way, manifests: readonly object[]): Promise<string[]> {
    const outcomes = await this.#ask({ ...way, sync: false, manifests });
    return outcomes.filter(({ modified }) => modified).flatMap(tell);
  }

  /** Applies all manifests, whatever a comparison says: a sync by hand, or of an Application that heals itself. */
  async sync(way: Way, manifests: readonly object[]): Promise<void> {
    await this.#ask({ ...way, sync: true, manifests });
  }

  async stop(): Promise<void> {
    const end = once(this.#process, 'close');
    this.#process.stdin?.end();
    await end;
    this.#reader.close();
  }

  async #ask(request: object): Promise<readonly Outcome[]> {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the engines have ended');
    const { outcomes, error } = JSON.parse(value) as { readonly outcomes: readonly Outcome[]; readonly error?: string };
    if (error !== undefined) throw new Error(error);
    return outcomes;
  }
}

function tell({ kind, name, live = {}, wanted = {} }: Outcome): string[] {
  const fields = differences(live, wanted, []).map((field) => `${kind}/${name}: ${field}`);
  return fields.length > 0 ? fields : [`${kind}/${name}`];
}

function differences(live: unknown, wanted: unknown, at: readonly string[]): string[] {
  if (isDeepStrictEqual(live, wanted)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  if (!isObject(live) || !isObject(wanted)) {
    return [`${at.join('.')} ${JSON.stringify(live)} → ${JSON.stringify(wanted)}`];
  }
  const names = new Set([...Object.keys(live), ...Object.keys(wanted)]);
  return [...names].flatMap((name) => differences(live[name], wanted[name], [...at, name]));
}

/** Runs the engines while the tests of this file do. They learn of the cluster's kinds when they start: definitions must be there before. */
export function useGitopsEngines(kubectl: Kubectl): { readonly get: () => GitopsEngines } {
  let running: GitopsEngines | undefined;
  let folder = '';
  beforeAll(async () => {
    const program = await ensureBinary(GITOPS);
    folder = await mkdtemp(path.join(tmpdir(), 'heddle-gitops-'));
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfig, await kubectl.run(['config', 'view', '--raw', '--minify', '--flatten']), {
      mode: 0o600,
    });
    running = new GitopsEngines(program, kubeconfig, folder);
  }, 600_000);
  afterAll(async () => {
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
  const get = (): GitopsEngines => {
    if (!running) throw new Error('the engines do not run yet');
    return running;
  };
  return { get };
}
