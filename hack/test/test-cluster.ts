import { clusterDown, clusterStatus, clusterUp } from '../cluster/cluster.ts';
import { HEDDLE_IMAGE } from '../images/catalog.ts';
import { loadImages } from '../images/load.ts';
import { installHeddle } from '../mesh/install.ts';
import { Kubectl } from '../mesh/kubectl.ts';
import type { Layer } from './layers.ts';

export interface ClusterChoice {
  /** A cluster of the user's own, by context; undefined: the local one. */
  readonly context: string | undefined;
  /** Leave the local cluster up at the end even if this run started it. */
  readonly keep: boolean;
}

const report = (line: string): boolean => process.stderr.write(`test: ${line}\n`);

/** The cluster of a test run: brought up when a layer first needs it, and down again at the end if this run started it. */
export class TestCluster {
  readonly #choice: ClusterChoice;
  #env: Record<string, string> | undefined;
  #kubectl: Kubectl | undefined;
  #installed = false;
  #startedHere = false;

  constructor(choice: ClusterChoice) {
    this.#choice = choice;
  }

  /**
   * Sees to what a layer needs.
   * @returns variables that tell the tests how to reach the cluster
   * @throws {Error} when the cluster or Heddle does not come up
   */
  async prepare(needs: Layer['needs']): Promise<Readonly<Record<string, string>>> {
    if (needs === 'nothing') return {};
    this.#env ??= await this.#connect();
    if (needs === 'heddle' && !this.#installed) await this.#install();
    return this.#env;
  }

  /** Removes the local cluster if this run started it. */
  async release(): Promise<void> {
    if (this.#startedHere && !this.#choice.keep) await clusterDown({ report });
  }

  async #connect(): Promise<Record<string, string>> {
    const { context } = this.#choice;
    if (context !== undefined) {
      this.#kubectl = new Kubectl({ context });
      return { HEDDLE_TEST_CONTEXT: context };
    }
    this.#startedHere = (await clusterStatus()).state === 'Down';
    const { kubeconfig, kubectl } = await clusterUp({ report });
    this.#kubectl = new Kubectl({ program: kubectl, kubeconfig });
    return { HEDDLE_TEST_KUBECONFIG: kubeconfig, HEDDLE_TEST_KUBECTL: kubectl };
  }

  async #install(): Promise<void> {
    let newImage = false;
    if (this.#choice.context === undefined) {
      report('building images and loading them into the cluster');
      for (const { name, imported } of await loadImages()) {
        report(`${name} ${imported ? 'loaded' : 'was there'}`);
        newImage ||= imported && name === HEDDLE_IMAGE;
      }
    }
    report('installing Heddle');
    if (this.#kubectl === undefined) throw new Error('no cluster');
    await installHeddle(this.#kubectl, newImage);
    this.#installed = true;
  }
}
