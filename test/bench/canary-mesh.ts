import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { CANARY, DEPLOYMENT, REPLICA_SET } from '../../kube/kinds.ts';
import type { KubeObject, OwnerReference } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { keyOf, type MeshChange } from '../../operator/mesh/mesh-object.ts';
import { pod, service, slice } from '../../operator/mesh/testing/objects.ts';
import type { ApiMesh } from './api-mesh.ts';
import type { ApiServer } from './api-server.ts';
import { inParallel } from './in-parallel.ts';

/** How many of what there are. */
export interface CanaryScene {
  readonly canaries: number;
  readonly namespaces: number;
  /** Pods that call every Service. */
  readonly callers: number;
  /** `spec.analysis` of all Canaries. */
  readonly analysis: object;
}

/** Which of a target's two revisions. */
type Which = 'stable' | 'tried';

/** Pods of the old revision of each target. */
const REPLICAS = 2;
const CALLERS_NAMESPACE = 'callers';
const MANAGER = { fieldManager: 'bench' };
/** Beyond every generation that a Deployment comes to here: whatever its spec, its controller has seen it. */
const OBSERVED = 1_000_000;

type Written = KubeObject & { spec?: object; status?: object };

/** Deployments with a Canary each, as they are in an API server: what their controllers and kubelet would have written is written here. */
export class CanaryMesh {
  /** Pods of the old revisions. */
  readonly stable: readonly V1Pod[];
  /** Pods of the new ones, held by our gate. */
  readonly tried: readonly V1Pod[];
  readonly callers: readonly V1Pod[];
  readonly #server: ApiServer;
  readonly #mesh: ApiMesh;
  readonly #scene: CanaryScene;
  readonly #owners = new Map<string, OwnerReference>();

  constructor(server: ApiServer, mesh: ApiMesh, scene: CanaryScene) {
    this.#server = server;
    this.#mesh = mesh;
    this.#scene = scene;
    const { canaries, callers } = scene;
    const pods = (first: number, count: number): V1Pod[] =>
      Array.from({ length: count }, (_, nth) => this.#pod(first + nth));
    this.stable = pods(0, canaries * REPLICAS);
    this.tried = pods(canaries * REPLICAS, canaries);
    this.callers = Array.from({ length: callers }, (_, nth) =>
      pod(`caller-${nth}`, { namespace: CALLERS_NAMESPACE, address: addressOf(canaries * (REPLICAS + 1) + nth) }),
    );
  }

  /** Hostname of the Service of a target. */
  hostname(index: number): string {
    return `${appOf(index)}.${this.#namespace(index)}.svc.cluster.local`;
  }

  /** Everything as it is before a release: two pods serve. */
  async prepare(): Promise<void> {
    const { canaries, namespaces } = this.#scene;
    const names = [CALLERS_NAMESPACE, ...Array.from({ length: namespaces }, (_, nth) => this.#namespace(nth))];
    await this.#mesh.writeAll(
      names.map((name): MeshChange => ({ kind: 'Namespace', key: name, object: asNamespace(name) })),
    );
    await this.#each((index) => this.#deployment(index, 'stable'));
    await this.#each((index) => this.#replicaSet(index, 'stable', REPLICAS));
    await this.#mesh.writePods([
      ...this.stable.map((one, nth) => this.#owned(one, nth % canaries, 'stable')),
      ...this.callers,
    ]);
    await this.#each((index) => this.#mesh.write(this.#service(index)));
    await this.#each((index) => this.#mesh.write(this.#slice(index, false)));
    await this.#each((index) => this.#canary(index));
  }

  /** Brings up the pods of the new revisions, which our gate holds. */
  async bringUp(): Promise<void> {
    await this.#each((index) => this.#replicaSet(index, 'tried', 1));
    await this.#mesh.writePods(this.tried.map((one, nth) => this.#owned(one, nth, 'tried')));
    await this.#each((index) => this.#mesh.write(this.#slice(index, true)));
  }

  /** Gives all Deployments the template of the new revision, one after the other. @param overMs how long that takes; 0: as fast as can be */
  release(overMs: number): Promise<unknown> {
    const begun = performance.now();
    return this.#each(async (index) => {
      await sleep(begun + (index / this.#scene.canaries) * overMs - performance.now());
      await this.#deployment(index, 'tried');
    });
  }

  #each(work: (index: number) => Promise<unknown>): Promise<unknown> {
    return inParallel(
      Array.from({ length: this.#scene.canaries }, (_, index) => index),
      work,
    );
  }

  #namespace(index: number): string {
    return `team-${index % this.#scene.namespaces}`;
  }

  /** @param nth of all pods of targets: first all of the old revisions, one target after the other, then those of the new ones */
  #pod(nth: number): V1Pod {
    const { canaries } = this.#scene;
    const index = nth % canaries;
    const isTried = nth >= canaries * REPLICAS;
    const revision = revisionOf(index, isTried ? 'tried' : 'stable');
    const one = pod(`${appOf(index)}-${revision}-${Math.floor(nth / canaries)}`, {
      namespace: this.#namespace(index),
      labels: { app: appOf(index) },
      deployment: appOf(index),
      revision,
      address: addressOf(nth),
      gated: isTried,
      node: `node-${nth % 50}`,
    });
    return { ...one, spec: { containers: [], ...one.spec, serviceAccountName: 'default' } };
  }

  /** With the ReplicaSet that it has in the API server as its owner. The pod itself, which learns its UID. */
  #owned(one: V1Pod, index: number, which: Which): V1Pod {
    const owner = this.#owners.get(`ReplicaSet ${appOf(index)}-${revisionOf(index, which)}`);
    if (one.metadata !== undefined && owner !== undefined)
      one.metadata.ownerReferences = [{ ...owner, uid: owner.uid }];
    return one;
  }

  async #deployment(index: number, which: Which): Promise<void> {
    const status = {
      observedGeneration: OBSERVED,
      replicas: REPLICAS,
      updatedReplicas: which === 'stable' ? REPLICAS : 1,
      readyReplicas: REPLICAS,
      availableReplicas: REPLICAS,
    };
    const annotations = { 'deployment.kubernetes.io/revision': ordinalOf(which) };
    const spec = { replicas: REPLICAS, selector: selectorOf(index), template: templateOf(index, which) };
    const metadata = { name: appOf(index), namespace: this.#namespace(index), annotations };
    const made = await this.#write(DEPLOYMENT, { metadata, spec, status });
    this.#owners.set(`Deployment ${appOf(index)}`, ownerOf(made, 'Deployment'));
  }

  async #replicaSet(index: number, which: Which, replicas: number): Promise<void> {
    const revision = revisionOf(index, which);
    const name = `${appOf(index)}-${revision}`;
    const owner = this.#owners.get(`Deployment ${appOf(index)}`);
    const labels = { app: appOf(index), 'pod-template-hash': revision };
    const metadata = {
      name,
      namespace: this.#namespace(index),
      labels,
      annotations: { 'deployment.kubernetes.io/revision': ordinalOf(which) },
      ...(owner && { ownerReferences: [owner] }),
    };
    const template = templateOf(index, which);
    const spec = { replicas, selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } };
    const ready = which === 'stable' ? replicas : 0;
    const status = { observedGeneration: 1, replicas, readyReplicas: ready, availableReplicas: ready };
    const made = await this.#write(REPLICA_SET, { metadata, spec, status });
    this.#owners.set(`ReplicaSet ${name}`, ownerOf(made, 'ReplicaSet'));
  }

  async #canary(index: number): Promise<void> {
    const spec = {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: appOf(index) },
      analysis: this.#scene.analysis,
    };
    const metadata = { name: appOf(index), namespace: this.#namespace(index) };
    await this.#server.api.apply<KubeObject & { spec: object }>(CANARY, { metadata, spec }, MANAGER);
  }

  /** Writes an object and its status; gives it as it is. */
  async #write(kind: ResourceKind, { status, ...object }: Written): Promise<KubeObject> {
    const { api } = this.#server;
    const made = await api.apply<Written>(kind, object, MANAGER);
    const { name = '', namespace = '' } = object.metadata ?? {};
    await api.apply<Written>(
      kind,
      { metadata: { name, namespace }, ...(status && { status }) },
      { ...MANAGER, subresource: 'status' },
    );
    return made;
  }

  #service(index: number): MeshChange {
    const { metadata, ...rest } = service(appOf(index), { app: appOf(index) });
    const object = { ...rest, metadata: { ...metadata, namespace: this.#namespace(index) } };
    return { kind: 'Service', key: keyOf(object.metadata), object };
  }

  #slice(index: number, withTried: boolean): MeshChange {
    const { canaries } = this.#scene;
    const old = this.stable.filter((_, nth) => nth % canaries === index);
    const { metadata, ...rest } = slice(appOf(index), [
      ...old,
      ...(withTried ? this.tried.slice(index, index + 1) : []),
    ]);
    const namespace = this.#namespace(index);
    const endpoints = rest.endpoints?.map((one) => ({ ...one, targetRef: { ...one.targetRef, namespace } }));
    const object = { ...rest, endpoints: endpoints ?? [], metadata: { ...metadata, namespace } };
    return { kind: 'EndpointSlice', key: keyOf(object.metadata), object };
  }
}

/** What Kubernetes would have made a hash of the template: no two targets have the same. */
export function revisionOf(index: number, which: Which): string {
  return `${which === 'stable' ? 'a' : 'b'}${index}`;
}

function ordinalOf(which: Which): string {
  return which === 'stable' ? '1' : '2';
}

function appOf(index: number): string {
  return `app-${index}`;
}

function addressOf(nth: number): string {
  return `10.1.${nth >> 8}.${nth & 255}`;
}

function asNamespace(name: string): { metadata: { name: string; labels: Record<string, string> } } {
  return { metadata: { name, labels: { 'heddle.dev/injection': 'enabled' } } };
}

function selectorOf(index: number): object {
  return { matchLabels: { app: appOf(index) } };
}

function templateOf(index: number, which: Which): object {
  return {
    metadata: { labels: { app: appOf(index) } },
    spec: { containers: [{ name: 'app', image: `app:${which}` }] },
  };
}

function ownerOf({ metadata }: KubeObject, kind: string): OwnerReference {
  return { apiVersion: 'apps/v1', kind, name: metadata?.name ?? '', uid: metadata?.uid ?? '', controller: true };
}
