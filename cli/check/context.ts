import type { KubeConfig, V1Pod } from '@kubernetes/client-node';
import type { MeshConfig } from '../../api/mesh-config.ts';
import { CONFIG_MAP, MUTATING_WEBHOOK_CONFIGURATION, NAMESPACE, POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject, ObjectName } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import { SYSTEM_NAMESPACE } from '../../proxy/names.ts';
import { MESH_CONFIG_MAP, MESH_FILE } from '../install/customize.ts';
import { type Manifests, readManifests } from '../install/manifests.ts';
import { podsOf, type WebhookConfigurationState } from '../install/readiness.ts';

export type ConfigMapObject = KubeObject & { readonly data?: Readonly<Record<string, string>> };
export type NamespaceObject = KubeObject & { readonly status?: { readonly phase?: string } };
export type PodObject = V1Pod & KubeObject;

/** What checks look at. Each list is asked for once. */
export class CheckContext {
  readonly api: KubeApi;
  readonly config: KubeConfig;
  /** Namespaces and pods of which are looked at; all when undefined. */
  readonly namespace: string | undefined;
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor({ api, config }: { readonly api: KubeApi; readonly config: KubeConfig }, namespace?: string) {
    this.api = api;
    this.config = config;
    this.namespace = namespace;
  }

  /** An object, or undefined when there is none. */
  async get<T extends KubeObject>(kind: ResourceKind, name: ObjectName): Promise<T | undefined> {
    try {
      return await this.api.get<T>(kind, name);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  manifests(): Promise<Manifests> {
    return this.#once('manifests', () => readManifests());
  }

  async namespaces(): Promise<readonly NamespaceObject[]> {
    const { items } = await this.#once('namespaces', () => this.api.list<NamespaceObject>(NAMESPACE));
    return items.filter(({ metadata }) => this.namespace === undefined || metadata?.name === this.namespace);
  }

  async pods(): Promise<readonly PodObject[]> {
    return (await this.#once('pods', () => this.api.list<PodObject>(POD, { namespace: this.namespace }))).items;
  }

  /** Pods of one of the control plane's Deployments, whatever namespace is looked at. */
  controlPlanePods(name: string): Promise<readonly PodObject[]> {
    return this.#once(`pods of ${name}`, () => podsOf<PodObject>(this.api, name));
  }

  async injectors(): Promise<readonly WebhookConfigurationState[]> {
    const ask = () => this.api.list<WebhookConfigurationState>(MUTATING_WEBHOOK_CONFIGURATION);
    return (await this.#once('injectors', ask)).items;
  }

  /** The mesh's settings. @throws {Error} naming the fields that are wrong, or that there are none */
  mesh(): Promise<MeshConfig> {
    return this.#once('mesh', async () => {
      const { readMeshConfig } = await import('../../api/mesh-config.ts');
      const name = { namespace: SYSTEM_NAMESPACE, name: MESH_CONFIG_MAP };
      const { data } = await this.api.get<ConfigMapObject>(CONFIG_MAP, name);
      return readMeshConfig(data?.[MESH_FILE] ?? '');
    });
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#asked.get(key) ?? ask();
    this.#asked.set(key, known);
    return known as Promise<T>;
  }
}
