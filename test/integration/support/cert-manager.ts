import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { certManager } from '../../../hack/cert-manager/release.ts';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';
import { established } from './established.ts';

const DEFINITIONS = ['certificates', 'certificaterequests', 'issuers', 'clusterissuers'].map(
  (name) => `${name}.cert-manager.io`,
);

/** The real cert-manager, at the API server under test. */
class CertManager {
  readonly #program: string;
  readonly #kubeconfig: string;
  #process: ChildProcess | undefined;

  constructor(program: string, kubeconfig: string) {
    this.#program = program;
    this.#kubeconfig = kubeconfig;
  }

  /** Starts it, if it does not run. */
  async start(): Promise<void> {
    if (this.#process) return;
    this.#process = spawn(this.#program, ['-kubeconfig', this.#kubeconfig], { stdio: 'ignore' });
    await once(this.#process, 'spawn');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const end = once(child, 'close');
    child.kill('SIGTERM');
    await end;
  }
}

/** Runs cert-manager while the tests of this file do; its definitions go again if they were not there before. */
export function useCertManager(kubectl: Kubectl): { readonly get: () => CertManager } {
  let running: CertManager | undefined;
  let folder = '';
  let added: string[] = [];
  beforeAll(async () => {
    const { program, definitions } = await certManager();
    folder = await mkdtemp(path.join(tmpdir(), 'heddle-cert-manager-'));
    const kubeconfig = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfig, await kubectl.run(['config', 'view', '--raw', '--minify', '--flatten']), {
      mode: 0o600,
    });
    // Too long for the annotation that `kubectl apply` would make.
    if ((await kubectl.try(['get', 'crd', DEFINITIONS[0] ?? ''])).code !== 0) {
      added = [definitions];
      await kubectl.run(['apply', '--server-side', '-f', definitions]);
    }
    await established(kubectl, DEFINITIONS);
    running = new CertManager(program, kubeconfig);
    await running.start();
  }, 600_000);
  afterAll(async () => {
    await running?.stop();
    for (const definitions of added) await kubectl.run(['delete', '--wait=false', '-f', definitions]);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
  const get = (): CertManager => {
    if (!running) throw new Error('cert-manager does not run yet');
    return running;
  };
  return { get };
}
