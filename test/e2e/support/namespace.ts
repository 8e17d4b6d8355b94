import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, test } from '@jest/globals';
import { stringify } from 'yaml';
import type { Kubectl } from '../../../hack/mesh/kubectl.ts';
import { type WaitOptions, waitFor } from '../../../hack/mesh/wait.ts';
import { ApiReader } from './api-reader.ts';
import { testKubectl } from './cluster.ts';
import { dumpState } from './dump.ts';

/** Label that opts a namespace in. */
export const INJECTED = { 'heddle.dev/injection': 'enabled' };

const DEFAULT_TEST_MS = 180_000;

/** A namespace of one test file: made before its tests and deleted after them. */
export class TestNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kubectl: Kubectl;
  #reader: Promise<ApiReader | undefined> | undefined;

  constructor(prefix: string, labels: Readonly<Record<string, string>>) {
    this.name = `${prefix}-${randomBytes(3).toString('hex')}`;
    this.labels = labels;
    this.kubectl = testKubectl();
  }

  /** Runs kubectl in this namespace. @throws {Error} with the command and its error output when it fails */
  run(...args: string[]): Promise<string> {
    return this.kubectl.run(['-n', this.name, ...args]);
  }

  /** Gets one object, or undefined when it is not there. */
  async get<T>(kind: string, name: string): Promise<T | undefined> {
    const path = ApiReader.path(kind, this.name);
    const reader = path === undefined ? undefined : await this.#connect();
    if (reader !== undefined) return reader.read(`${path}/${name}`);
    const { code, stdout, stderr } = await this.kubectl.try(['-n', this.name, 'get', kind, name, '-o', 'json']);
    if (code === 0) return JSON.parse(stdout) as T;
    if (stderr.includes('NotFound')) return undefined;
    throw new Error(`get ${kind} ${name}: ${stderr.trim()}`);
  }

  /** Lists objects by label; all of the kind without a selector. */
  async list<T>(kind: string, selector?: string): Promise<readonly T[]> {
    const path = ApiReader.path(kind, this.name);
    const reader = path === undefined ? undefined : await this.#connect();
    if (reader !== undefined) {
      const query = selector === undefined ? '' : `?${new URLSearchParams({ labelSelector: selector })}`;
      return (await reader.read<{ items: T[] }>(`${path}${query}`))?.items ?? [];
    }
    const args = ['-n', this.name, 'get', kind, ...(selector === undefined ? [] : ['-l', selector])];
    return (await this.kubectl.json<{ items: T[] }>(args)).items;
  }

  /** Applies objects: YAML text, or values. */
  async apply(...objects: (string | object)[]): Promise<string> {
    const text = objects.map((object) => (typeof object === 'string' ? object : stringify(object))).join('\n---\n');
    return this.kubectl.apply(text, ['-n', this.name]);
  }

  /** Waits until a Deployment has rolled out. */
  async rolledOut(deployment: string, seconds = 120): Promise<void> {
    const args = ['-n', this.name, 'rollout', 'status', `deployment/${deployment}`, `--timeout=${seconds}s`];
    await this.kubectl.run(args, { timeoutMs: (seconds + 10) * 1000 });
  }

  /** Waits until an object is as wanted. @param check gives what is amiss, or undefined */
  waitFor<T>(kind: string, name: string, check: (object: T) => string | undefined, options?: WaitOptions): Promise<T> {
    const probe = async (): Promise<T> => {
      const object = await this.get<T>(kind, name);
      if (object === undefined) throw new Error(`there is no ${kind} ${name}`);
      const problem = check(object);
      if (problem !== undefined) throw new Error(problem);
      return object;
    };
    return waitFor(`${kind} ${this.name}/${name}`, probe, options);
  }

  async create(): Promise<void> {
    await this.kubectl.apply(
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.name, labels: this.labels } }),
    );
  }

  #connect(): Promise<ApiReader | undefined> {
    this.#reader ??= ApiReader.connect(this.kubectl);
    return this.#reader;
  }

  /** Deletes the namespace and does not wait for its end. */
  async delete(): Promise<void> {
    (await this.#reader)?.close();
    await this.kubectl.run(['delete', 'namespace', this.name, '--wait=false', '--ignore-not-found']);
  }
}

/**
 * A namespace for the tests of this file (or `describe` block).
 * @param prefix start of its name; a random end is added
 * @param labels opt in to the mesh unless told otherwise: `{}` for a namespace outside of it
 */
export function useNamespace(prefix: string, labels: Readonly<Record<string, string>> = INJECTED): TestNamespace {
  const namespace = new TestNamespace(prefix, labels);
  beforeAll(() => namespace.create(), 30_000);
  afterAll(() => namespace.delete(), 30_000);
  return namespace;
}

/** A Jest test that, when it fails, tells the state of the namespaces it is about and of Heddle. */
export function clusterTest(
  name: string,
  namespaces: readonly TestNamespace[],
  body: () => Promise<void>,
  timeoutMs: number = DEFAULT_TEST_MS,
): void {
  test(
    name,
    async () => {
      try {
        await body();
      } catch (error) {
        await dumpState(name, namespaces);
        throw error;
      }
    },
    timeoutMs,
  );
}

/** `beforeAll` that, when it fails, tells the state like `clusterTest`. */
export function clusterSetup(
  namespaces: readonly TestNamespace[],
  body: () => Promise<void>,
  timeoutMs = DEFAULT_TEST_MS,
): void {
  beforeAll(async () => {
    try {
      await body();
    } catch (error) {
      await dumpState('setup', namespaces);
      throw error;
    }
  }, timeoutMs);
}
