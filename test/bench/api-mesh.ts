import type { V1Pod } from '@kubernetes/client-node';
import {
  DESTINATION_RULE,
  ENDPOINT_SLICE,
  NAMESPACE,
  POD,
  SERVICE,
  SERVICE_ACCOUNT,
  VIRTUAL_SERVICE,
} from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { isNotFound } from '../../kube/kube-error.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ResourceKind } from '../../kube/resource-kind.ts';
import type { MeshChange } from '../../operator/mesh/mesh-object.ts';
import { TOKEN_AUDIENCE } from '../../proxy/names.ts';
import type { ApiServer } from './api-server.ts';
import { inParallel } from './in-parallel.ts';
import type { ProxyPod } from './messages.ts';

const MANAGER = { fieldManager: 'bench' };

const KINDS: Readonly<Record<string, ResourceKind>> = {
  Namespace: NAMESPACE,
  Pod: POD,
  Service: SERVICE,
  EndpointSlice: ENDPOINT_SLICE,
  VirtualService: VIRTUAL_SERVICE,
  DestinationRule: DESTINATION_RULE,
};

/** An object, in as much as it is written. */
interface Written extends KubeObject {
  spec?: object;
  status?: object;
}

/** Writes objects of the mesh's tests and benches to an API server, as kubelet and controllers would have. */
export class ApiMesh {
  private readonly server: ApiServer;
  private readonly api: KubeApi;
  private readonly accounts = new Map<string, Promise<unknown>>();

  constructor(server: ApiServer) {
    this.server = server;
    this.api = server.api;
  }

  /** Puts objects one after the other, or removes those without one. */
  async write(...changes: readonly MeshChange[]): Promise<void> {
    for (const change of changes) await this.writeOne(change);
  }

  /** Puts objects of which none needs another. */
  async writeAll(changes: readonly MeshChange[]): Promise<void> {
    await inParallel(changes, (change) => this.writeOne(change));
  }

  /** Puts pods; each has its UID from the API server afterwards. */
  async writePods(pods: readonly V1Pod[]): Promise<void> {
    await inParallel(pods, (pod) => this.writePod(pod));
  }

  /** What pods' proxies show a control plane. The pods must have been written. */
  identities(pods: readonly V1Pod[]): Promise<ProxyPod[]> {
    return inParallel(pods, async ({ metadata, spec, status }) => {
      const { name = '', namespace = '', uid = '' } = metadata ?? {};
      const address = status?.podIPs?.[0]?.ip ?? '';
      const bound = { name, uid, audience: TOKEN_AUDIENCE };
      const token = await this.server.token(namespace, spec?.serviceAccountName ?? 'default', bound);
      const nodeId = `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`;
      return { token, nodeId, address };
    });
  }

  private async writeOne({ kind, key, object }: MeshChange): Promise<void> {
    const resource = KINDS[kind];
    if (resource === undefined) throw new Error(`${kind} is not written here`);
    if (object === undefined) {
      const [namespace = '', name = ''] = key.split('/');
      // A pod goes at once: there is no kubelet to end it.
      await this.api.delete(resource, { namespace, name }, { gracePeriodSeconds: 0 }).catch(unlessNotFound);
    } else if (kind === 'Pod') await this.writePod(object as V1Pod);
    else await this.api.apply(resource, asWritten(object as Written), MANAGER);
  }

  private async writePod(pod: V1Pod): Promise<void> {
    const { metadata, spec, status } = pod;
    const { name = '', namespace = '', labels, annotations, ownerReferences } = metadata ?? {};
    await this.account(namespace, spec?.serviceAccountName ?? 'default');
    const withImages = (containers: NonNullable<V1Pod['spec']>['containers'] = []) =>
      containers.map((container) => ({ image: 'none', ...container }));
    const object: KubeObject & { spec: object } = {
      metadata: {
        name,
        namespace,
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        ...(ownerReferences && { ownerReferences }),
      },
      spec: {
        ...spec,
        containers: withImages(spec?.containers),
        ...(spec?.initContainers && { initContainers: withImages(spec.initContainers) }),
      },
    };
    const made = await this.api.apply(POD, object, MANAGER);
    const ip = status?.podIPs?.[0]?.ip ?? '';
    const told = { metadata: { name, namespace }, status: { ...status, podIP: ip } };
    await this.api.apply<KubeObject>(POD, told, { ...MANAGER, subresource: 'status' });
    if (metadata !== undefined && made.metadata?.uid !== undefined) metadata.uid = made.metadata.uid;
  }

  /** No pod is taken before its ServiceAccount is there. */
  private account(namespace: string, name: string): Promise<unknown> {
    const key = `${namespace}/${name}`;
    const known = this.accounts.get(key);
    if (known !== undefined) return known;
    const made = this.api.apply<KubeObject>(SERVICE_ACCOUNT, { metadata: { namespace, name } }, MANAGER);
    this.accounts.set(key, made);
    return made;
  }
}

/** Without what the API server gives: addresses and times. */
function asWritten(object: Written): Written {
  const { metadata = {}, spec, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata;
  const { clusterIP: _, clusterIPs: __, ...kept } = (spec ?? {}) as { clusterIP?: string; clusterIPs?: string[] };
  return {
    ...rest,
    metadata: {
      name: name ?? '',
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    ...(spec && { spec: kept }),
  };
}

function unlessNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
