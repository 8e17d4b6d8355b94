import { SYSTEM_NAMESPACE, TOKEN_AUDIENCE, TRUST_CONFIG_MAP, TRUST_PEM_KEY } from '../../../proxy/names.ts';
import type { TestNamespace } from './namespace.ts';

/** What a pod can be told from others by. */
export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly ip: string;
  readonly serviceAccount: string;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly serviceAccountName: string };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** The first pod with the label `app`. @throws {Error} when there is none that has an address */
export async function podIdentity(space: TestNamespace, app: string): Promise<PodIdentity> {
  const pods = await space.list<Pod>('pods', `app=${app}`);
  const pod = pods.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod?.status.podIP === undefined) throw new Error(`there is no pod ${app} with an address in ${space.name}`);
  const { name, uid } = pod.metadata;
  return { name, uid, namespace: space.name, ip: pod.status.podIP, serviceAccount: pod.spec.serviceAccountName };
}

export interface TokenWish {
  readonly audience?: string;
  /** False: of the ServiceAccount, but of no pod. */
  readonly bound?: boolean;
}

/** A token that the API server made for the pod's ServiceAccount, as kubelet would project it unless told otherwise. */
export async function podToken(space: TestNamespace, pod: PodIdentity, wish: TokenWish = {}): Promise<string> {
  const { audience = TOKEN_AUDIENCE, bound = true } = wish;
  const object = ['--bound-object-kind', 'Pod', '--bound-object-name', pod.name, '--bound-object-uid', pod.uid];
  const args = ['create', 'token', pod.serviceAccount, '--audience', audience, '--duration', '10m'];
  return (await space.run(...args, ...(bound ? object : []))).trim();
}

/** The operator's pod: its address, the restarts of its containers, and the roots (PEM) that its certificate hangs on. */
export async function operatorPod(
  space: TestNamespace,
): Promise<{ name: string; ip: string; restarts: number; rootPem: string }> {
  const selector = ['-n', SYSTEM_NAMESPACE, '-l', 'app.kubernetes.io/name=heddle-operator'];
  const { items } = await space.kubectl.json<{ items: Pod[] }>(['get', 'pods', ...selector]);
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod?.status.podIP === undefined) throw new Error('there is no operator');
  const trust = await space.get<{ data: Record<string, string> }>('configmap', TRUST_CONFIG_MAP);
  const restarts = (pod.status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
  return { name: pod.metadata.name, ip: pod.status.podIP, restarts, rootPem: trust?.data[TRUST_PEM_KEY] ?? '' };
}
