import type { V1Pod } from '@kubernetes/client-node';
import { POD } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import { readPod } from '../../operator/mesh/pod.ts';
import { canonicalName } from './canonical-name.ts';

/** Who has an address. */
export interface AddressOwner {
  readonly namespace: string;
  readonly pod: string;
  readonly workload: string;
}

/** Finds pods by their addresses. Each is asked for once; one that may not be asked for, or is no pod's, has no owner. */
export class PodNames {
  readonly #api: Pick<KubeApi, 'list'>;
  readonly #known = new Map<string, Promise<AddressOwner | undefined>>();

  constructor(api: Pick<KubeApi, 'list'>) {
    this.#api = api;
  }

  /** @param address an IP, or `IP:PORT` */
  ownerOf(address: string): Promise<AddressOwner | undefined> {
    const ip = address.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
    const known = this.#known.get(ip);
    if (known !== undefined) return known;
    const asked = this.#ask(ip).catch(() => undefined);
    this.#known.set(ip, asked);
    return asked;
  }

  async #ask(ip: string): Promise<AddressOwner | undefined> {
    // A Job's pod keeps its address when it is done, and another may have it by then.
    const fieldSelector = `status.podIP=${ip},status.phase=Running`;
    const { items } = await this.#api.list<V1Pod>(POD, { fieldSelector });
    // Pods on the host's network share the node's address.
    const [pod, ...others] = items.map(readPod);
    if (pod === undefined || others.length > 0) return undefined;
    return { namespace: pod.namespace, pod: pod.name, workload: canonicalName(pod) };
  }
}
