import { undiscoveredMessage } from '../../api/discovery.ts';
import { TOKEN_REVIEW } from '../../kube/kinds.ts';
import type { KubeApi } from '../../kube/kube-api.ts';
import type { KubeObject } from '../../kube/object.ts';
import { TOKEN_AUDIENCE } from '../../proxy/names.ts';
import type { PodRecord, TokenAuthenticatorPorts, TokenReviewResult } from '../ads/token-authenticator.ts';
import { isInjected } from '../mesh/pod.ts';
import { BY_ADDRESS, BY_UID, type ClusterStores, type Pod } from './cluster-stores.ts';
import type { RewrittenAddresses } from './rewritten-addresses.ts';

const NO_SIDECAR = 'runs no sidecar of the mesh, so there is nothing to give it';

interface TokenReview extends KubeObject {
  spec: { token: string; audiences: string[] };
  status?: {
    authenticated?: boolean;
    audiences?: string[];
    error?: string;
    user?: { username?: string; extra?: Record<string, string[]> };
  };
}

/** What is asked of the API server; its clock says when tokens are over. */
type ReviewApi = Pick<KubeApi, 'create'> & { readonly transport?: Pick<KubeApi['transport'], 'clockOffsetMs'> };

/** What is looked up of the stores. */
type PodStores = Pick<ClusterStores, 'pods' | 'discovery' | 'rewritten'>;

/**
 * What the authenticator asks: TokenReview at the API server, and pods of the store.
 * @param isProxy whether the snapshot has the pod's proxy: before that, its configuration would lack the inbound side
 * @param onUndiscovered told of each pod that asks although its namespace is not discovered, and what it is answered
 */
export function tokenPorts(
  api: ReviewApi,
  { pods, discovery, rewritten }: PodStores,
  isProxy: (uid: string) => boolean,
  onUndiscovered: (pod: Pod, message: string) => void,
): TokenAuthenticatorPorts {
  return {
    ...commonPorts(api, pods, rewritten),
    podByUid: (uid) => {
      const [pod] = pods.byIndex(BY_UID, uid);
      const namespace = pod?.metadata?.namespace ?? '';
      if (pod !== undefined && isInjected(pod) && !discovery.has(namespace)) {
        const message = undiscoveredMessage(namespace);
        onUndiscovered(pod, message);
        return { ...recordOf(pod), problem: `gets no configuration: ${message}` };
      }
      if (pod === undefined || (isInjected(pod) && !isProxy(uid))) return undefined;
      // Whoever has the token of a pod without our sidecar is not its proxy.
      return { ...recordOf(pod), problem: isInjected(pod) ? undefined : NO_SIDECAR };
    },
  };
}

/**
 * The same for streams of other replicas of the operator.
 * @param isReplica whether a pod is one
 */
export function replicaTokenPorts(
  api: ReviewApi,
  { pods, rewritten }: Pick<ClusterStores, 'pods' | 'rewritten'>,
  isReplica: (pod: Pod) => boolean,
): TokenAuthenticatorPorts {
  return {
    ...commonPorts(api, pods, rewritten),
    podByUid: (uid) => {
      const [pod] = pods.byIndex(BY_UID, uid);
      return pod && { ...recordOf(pod), problem: isReplica(pod) ? undefined : 'is no replica of the operator' };
    },
  };
}

/** What is asked of tokens and addresses, whoever's they are. */
function commonPorts(
  api: ReviewApi,
  pods: ClusterStores['pods'],
  rewritten: Pick<RewrittenAddresses, 'has'>,
): Omit<TokenAuthenticatorPorts, 'podByUid'> {
  return {
    reviewToken: (token) => review(api, token),
    podUidByAddress: (address) => uidByAddress(pods, address),
    mayBeRewritten: (address, { node = '' }) => rewritten.has(address, node),
    clockOffsetMs: () => api.transport?.clockOffsetMs,
  };
}

function uidByAddress(pods: ClusterStores['pods'], address: string): string | undefined {
  const running = pods
    .byIndex(BY_ADDRESS, address)
    .find(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  return running?.metadata?.uid;
}

async function review(api: Pick<KubeApi, 'create'>, token: string): Promise<TokenReviewResult> {
  const { status = {} } = await api.create<TokenReview>(TOKEN_REVIEW, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [TOKEN_AUDIENCE] },
  });
  const { authenticated = false, audiences = [], user = {}, error } = status;
  const podName = user.extra?.['authentication.kubernetes.io/pod-name']?.[0];
  const podUid = user.extra?.['authentication.kubernetes.io/pod-uid']?.[0];
  return {
    // An authenticator that knows no audiences leaves the list empty: its "authenticated" says nothing about ours.
    authenticated: authenticated && audiences.includes(TOKEN_AUDIENCE),
    ...(user.username === undefined ? {} : { username: user.username }),
    ...(podName === undefined ? {} : { podName }),
    ...(podUid === undefined ? {} : { podUid }),
    ...(error === undefined ? {} : { error }),
  };
}

function recordOf(pod: Pod): PodRecord {
  const { metadata, spec, status } = pod;
  return {
    uid: metadata?.uid ?? '',
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    serviceAccount: spec?.serviceAccountName ?? 'default',
    ...(spec?.nodeName && { node: spec.nodeName }),
    ips: (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : [])),
  };
}
