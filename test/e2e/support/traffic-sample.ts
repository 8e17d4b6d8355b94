import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { SHOP_IMAGE } from '../../../hack/images/catalog.ts';
import { inTree } from '../../../hack/mesh/install.ts';
import type { TestNamespace } from './namespace.ts';
import { TESTBED_IMAGE } from './testbed-objects.ts';

const FOLDER = 'config/samples/traffic';

/** As a sample's comment has it: the JavaScript that is run in the pod of UI. */
const TRY_OUT = /^# +kubectl exec -n market deploy\/ui -- node -e "(.*)"$/m;

interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Deployment {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly object[] } } };
}

/** A file of `config/samples/traffic`, applied to a namespace of a test as it is. */
export class TrafficSample {
  readonly #space: TestNamespace;
  readonly #path: string;
  readonly #text: string;

  /** @param name of the file, without its ending */
  constructor(space: TestNamespace, name: string) {
    this.#space = space;
    this.#path = inTree(`${FOLDER}/${name}.yaml`);
    this.#text = readFileSync(this.#path, 'utf8');
  }

  /**
   * Applies the file, and waits until each of its objects is accepted and in force everywhere.
   * @throws {Error} when kubectl says more than that it is done: the sample that people start from deserves no warning
   */
  async apply(): Promise<void> {
    const args = ['apply', '-n', this.#space.name, '-f', this.#path];
    const { code, stdout, stderr } = await this.#space.kubectl.try(args);
    if (code !== 0 || stderr !== '') throw new Error(`${this.#path}: exit ${code}: ${stderr || stdout}`);
    for (const condition of ['Programmed', 'Accepted']) {
      await this.#space.run('wait', '-f', this.#path, `--for=condition=${condition}`, '--timeout=60s');
    }
  }

  async delete(): Promise<void> {
    await this.#space.run('delete', '-f', this.#path);
  }

  /** Runs the command by which the file's comment says it is tried, and gives the lines it prints. */
  async tryOut(): Promise<string[]> {
    const [, script] = TRY_OUT.exec(this.#text) ?? [];
    if (script === undefined) throw new Error(`${this.#path}: no command to try it`);
    const output = await this.#space.run('exec', 'deploy/ui', '--', 'node', '-e', script);
    return output.trim().split('\n');
  }
}

/**
 * The shop that the samples are for, with the testbed's server in the place of the sample application. Everything else is as the file has it.
 * @param uiPod merged into the spec of UI's pods
 */
export function sampleShop(uiPod: object): object[] {
  const objects = readObjects<Named | Deployment>(readFileSync(inTree(`${FOLDER}/shop.yaml`), 'utf8'));
  return objects.map((object) =>
    'spec' in object && object.kind === 'Deployment' ? asTestbed(object, uiPod) : object,
  );
}

function asTestbed(deployment: Deployment, uiPod: object): object {
  const { spec, metadata } = deployment;
  const containers = spec.template.spec.containers.map((container) => {
    if (!('image' in container) || container.image !== SHOP_IMAGE)
      throw new Error(`${metadata.name}: not ${SHOP_IMAGE}`);
    return { ...container, name: 'app', image: TESTBED_IMAGE, command: ['node', '/app/main.ts', 'server'] };
  });
  const pod = { ...spec.template.spec, containers, ...(metadata.name === 'ui' ? uiPod : {}) };
  return { ...deployment, spec: { ...spec, template: { ...spec.template, spec: pod } } };
}

/** The documents of a YAML text. The caller says what they are, as the files are ours. */
function readObjects<T>(text: string): T[] {
  return parseAllDocuments(text).map((document) => document.toJS() as T);
}
