import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { TARGET_KINDS } from '../../../api/canary.ts';
import { COMMAND_ANNOTATION, type Command } from '../../../api/canary-command.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import { inTree } from '../../../hack/mesh/install.ts';
import { waitFor, waitUntil } from '../../../hack/mesh/wait.ts';
import { CANARY, DEPLOYMENT, POD, SERVICE, STATEFUL_SET } from '../../../kube/kinds.ts';
import type { KubeApi } from '../../../kube/kube-api.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { ResourceKind } from '../../../kube/resource-kind.ts';
import type { ManagedFields } from '../../../operator/canary/objects.ts';
import { testKubectl } from '../../e2e/support/cluster.ts';
import { TestNamespace } from '../../e2e/support/namespace.ts';
import { CanaryOperator } from './canary-operator.ts';
import { established } from './established.ts';
import { type GitopsEngines, useGitopsEngines, type Way } from './gitops-engines.ts';
import { useNoOperator } from './no-operator.ts';
import { testApi } from './test-api.ts';
import { unscheduledPod, WaitingPods } from './waiting-pods.ts';

type Kind = Exclude<(typeof TARGET_KINDS)[number], 'DaemonSet'>;
const RESOURCES: Readonly<Record<Kind, ResourceKind>> = { Deployment: DEPLOYMENT, StatefulSet: STATEFUL_SET };

/** A target, as far as these tests read it. */
export interface Target extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly paused?: boolean;
    readonly replicas: number;
    readonly strategy: { readonly rollingUpdate: object };
    readonly updateStrategy: { readonly rollingUpdate?: { readonly partition?: number } };
  };
}

interface Release extends KubeObject {
  readonly status?: CanaryStatus;
}

/** What git has of the shop. */
export interface Commit {
  readonly version: string;
  /** Over the spec of the target. */
  readonly spec?: object;
  /** Unless told, pods come with the gate, as injected ones do. */
  readonly gated?: boolean;
}

/** A Service, its workload and a Canary as git has them, in a namespace where the operator is at work, and the pods run. */
export class GitopsShop {
  readonly kind: Kind;
  readonly way: Way;
  readonly operator: CanaryOperator;
  readonly #api: KubeApi;
  readonly #engines: GitopsEngines;
  readonly #namespace: TestNamespace;
  readonly #pods: WaitingPods;
  #manifests: readonly object[] = [];

  constructor(api: KubeApi, engines: GitopsEngines, namespace: TestNamespace, kind: Kind, way: Way) {
    this.kind = kind;
    this.way = way;
    this.#api = api;
    this.#engines = engines;
    this.#namespace = namespace;
    this.operator = new CanaryOperator(api, namespace.name);
    this.#pods = new WaitingPods(api, namespace.name);
  }

  async start(): Promise<void> {
    await this.operator.start();
    this.#pods.start();
  }

  async stop(): Promise<void> {
    await this.operator.stop();
    await this.#pods.stop();
  }

  /** Has git changed, and synced. */
  async commit({ version, spec = {}, gated = true }: Commit): Promise<void> {
    const metadata = { name: 'shop', namespace: this.#namespace.name };
    const labels = { app: 'shop' };
    const template = unscheduledPod('shop', version, gated);
    const more = this.kind === 'StatefulSet' ? { serviceName: 'shop' } : {};
    const analysis = { interval: '1s', threshold: 1, stepWeights: [50], noTrafficPolicy: 'Wait' };
    this.#manifests = [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ name: 'http', port: 80 }] } },
      {
        apiVersion: 'apps/v1',
        kind: this.kind,
        metadata,
        spec: { replicas: 4, selector: { matchLabels: labels }, template, ...more, ...spec },
      },
      {
        apiVersion: 'heddle.dev/v1alpha1',
        kind: 'Canary',
        metadata,
        spec: { targetRef: { kind: this.kind, name: 'shop' }, analysis },
      },
    ];
    await this.sync();
  }

  /** Has a second revision tried, beside a first that is stable. */
  async tryNext(): Promise<void> {
    await this.commit({ version: '1' });
    await this.phase('Initialized');
    await this.commit({ version: '2' });
    await this.phase('Progressing', 'Waiting');
  }

  /** Applies what git has, once more. */
  sync(): Promise<void> {
    return this.#engines.sync(this.way, this.#manifests);
  }

  /** Tells the Canary to do something, as the command line does. */
  async command(word: Command): Promise<void> {
    const body = { metadata: { annotations: { [COMMAND_ANNOTATION]: word } } };
    await this.#api.patch(CANARY, { name: 'shop', namespace: this.#namespace.name }, 'merge', body);
  }

  /** Somebody deletes the target, which git still has; returns when it is gone with all its pods. */
  async loseTarget(): Promise<void> {
    await this.#api.delete(RESOURCES[this.kind], { name: 'shop', namespace: this.#namespace.name });
    await waitUntil('the pods to be gone', async () => {
      const { items } = await this.#api.list(POD, { namespace: this.#namespace.name });
      return items.length === 0 ? undefined : `${items.length} are left`;
    });
  }

  /** The Canary is deleted in git, and pruned. */
  async prune(): Promise<void> {
    this.#manifests = this.#manifests.slice(0, 2);
    await this.#api.delete(CANARY, { name: 'shop', namespace: this.#namespace.name });
  }

  /** What the engine finds out of sync, by each of its ways to compare. */
  async drift(more: Partial<Way> = {}): Promise<string[]> {
    const ways: Way[] = [this.way, ...(this.way.engine === 'flux' ? [] : [{ ...this.way, serverSideDiff: true }])];
    const found: string[] = [];
    for (const way of ways) found.push(...(await this.#engines.drift({ ...way, ...more }, this.#manifests)));
    return found;
  }

  target(): Promise<Target> {
    return this.#get<Target>(RESOURCES[this.kind]);
  }

  /** Waits until the Canary is in one of these phases. */
  phase(...wanted: readonly CanaryStatus['phase'][]): Promise<Release> {
    return waitFor(`phase ${wanted.join(' or ')}`, async () => {
      const canary = await this.#get<Release>(CANARY);
      if (wanted.includes(canary.status?.phase)) return canary;
      throw new Error(JSON.stringify(canary.status));
    });
  }

  /** Waits until the target is as wanted. */
  becomes(what: string, check: (target: Target) => boolean): Promise<Target> {
    return waitFor(what, async () => {
      const target = await this.target();
      if (check(target)) return target;
      throw new Error(JSON.stringify([target.spec, target.metadata?.managedFields]));
    });
  }

  /** The fields that are the operator's by server-side apply; of the status of the Canary there is no word. */
  async owned(): Promise<string[]> {
    const objects = await Promise.all([SERVICE, RESOURCES[this.kind]].map((kind) => this.#get(kind)));
    const entries = objects.flatMap(({ metadata }) => (metadata?.managedFields ?? []) as ManagedFields[]);
    return entries
      .filter(({ manager, subresource }) => manager?.includes('heddle') && !subresource)
      .flatMap(({ fieldsV1 = {} }) => leaves(fieldsV1, []))
      .sort();
  }

  /** Waits until these fields are the operator's, and no others, and its annotation says the same. */
  async owns(fields: readonly string[]): Promise<void> {
    const wanted = fields.filter((field) => field.startsWith('spec.')).map((field) => field.split('.').at(-1));
    await waitUntil(`only these to be borrowed: ${fields.join(', ')}`, async () => {
      const owned = await this.owned();
      const { metadata, ...target } = await this.target();
      const annotation = metadata?.annotations?.[BORROWED_ANNOTATION] ?? '{}';
      const said = Object.keys(JSON.parse(annotation)).sort();
      return isDeepStrictEqual([owned, said], [fields, wanted.sort()])
        ? undefined
        : `${owned.join(', ')}; ${annotation}; ${JSON.stringify(target)}`;
    });
  }

  /** Has somebody scale the target, as an autoscaler does. */
  async scale(replicas: number): Promise<void> {
    const name = { name: 'shop', namespace: this.#namespace.name };
    const options = { subresource: 'scale', fieldManager: 'kube-controller-manager' };
    await this.#api.patch(RESOURCES[this.kind], name, 'merge', { spec: { replicas } }, options);
  }

  /** Waits until nothing of the target is the operator's any more, and looks for what may be left. */
  async isLeft(): Promise<void> {
    await this.owns([]);
    expect((await this.target()).metadata?.annotations?.[BORROWED_ANNOTATION]).toBeUndefined();
  }

  async #get<T extends KubeObject>(kind: ResourceKind): Promise<T> {
    return this.#api.get<T>(kind, { name: 'shop', namespace: this.#namespace.name });
  }
}

function leaves(fields: Readonly<Record<string, unknown>>, path: readonly string[]): string[] {
  const inner = Object.entries(fields).filter(([name]) => name !== '.');
  if (inner.length === 0) return path.length > 0 ? [path.join('.')] : [];
  return inner.flatMap(([name, value]) =>
    leaves((value ?? {}) as Record<string, unknown>, [...path, name.replace(/^f:/, '')]),
  );
}

/** Opens shops while the tests of this file run, each in a namespace of its own, and closes them after each test. */
export function useGitopsShops(): (kind: Kind, way: Way) => Promise<GitopsShop> {
  const kubectl = testKubectl();
  useNoOperator(kubectl);
  let api: KubeApi;
  beforeAll(async () => {
    api = testApi();
    await kubectl.run(['apply', '-k', inTree('manifests/base/crds')]);
    await established(kubectl, ['canaries.heddle.dev']);
  }, 60_000);
  const engines = useGitopsEngines(kubectl);
  let namespace: TestNamespace;
  const open: GitopsShop[] = [];
  beforeEach(async () => {
    namespace = new TestNamespace('gitops', {});
    await namespace.create();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((shop) => shop.stop()));
    await namespace.delete();
  });
  afterAll(() => api.close());
  return async (kind, way) => {
    const shop = new GitopsShop(api, engines.get(), namespace, kind, way);
    open.push(shop);
    await shop.start();
    return shop;
  };
}
