import type { V1Pod } from '@kubernetes/client-node';
import { INJECTION_STATUS_ANNOTATION, PROXY_CONTAINER } from '../../api/pod-names.ts';
import {
  INJECT_KEY,
  INJECTION_LABEL,
  ISTIO_INJECT_KEY,
  ISTIO_INJECTION_LABEL,
  ISTIO_REVISION_LABEL,
  REVISION,
} from '../../proxy/annotations.ts';
import { SYSTEM_NAMESPACE } from '../../proxy/names.ts';

type Labels = Readonly<Record<string, string>>;

/** Where a pod is about to be made, as far as injection depends on it. */
export interface NamespaceView {
  readonly name: string;
  readonly labels: Labels;
  /** An Istio injector is installed in the cluster: Istio's own labels are then its business. */
  readonly istioInstalled: boolean;
}

export type Decision =
  | { readonly verdict: 'inject' }
  /** `reason` is one word for metrics, `message` a sentence for people. */
  | { readonly verdict: 'skip'; readonly reason: string; readonly message: string }
  | { readonly verdict: 'refuse'; readonly message: string };

/** Namespaces a cluster starts from, and Heddle's own. */
const SYSTEM_NAMESPACES: ReadonlySet<string> = new Set([
  'kube-system',
  'kube-public',
  'kube-node-lease',
  SYSTEM_NAMESPACE,
]);

const TRUE: ReadonlySet<string> = new Set(['true', 'enabled', 'yes', 'y', 'on']);
const FALSE: ReadonlySet<string> = new Set(['false', 'disabled', 'no', 'n', 'off']);

const INJECT: Decision = { verdict: 'inject' };
const skip = (reason: string, message: string): Decision => ({ verdict: 'skip', reason, message });

/** True when the namespace opted in to Heddle: by Heddle's label, by `istio.io/rev`, or by Istio's where there is no Istio. */
export function isInjectionNamespace({ labels, istioInstalled }: Omit<NamespaceView, 'name'>): boolean {
  const own = labels[INJECTION_LABEL];
  if (own !== undefined) return own === 'enabled';
  const revision = labels[ISTIO_REVISION_LABEL];
  if (revision !== undefined) return revision === REVISION;
  return labels[ISTIO_INJECTION_LABEL] === 'enabled' && !istioInstalled;
}

/** Whether a pod gets a sidecar: what it is first, then its own wish, then its namespace's. */
export function decideInjection(pod: V1Pod, namespace: NamespaceView): Decision {
  return excluded(pod, namespace) ?? podWish(pod, namespace) ?? namespaceWish(namespace);
}

function excluded({ metadata, spec }: V1Pod, { name }: NamespaceView): Decision | undefined {
  if (SYSTEM_NAMESPACES.has(name)) return skip('SystemNamespace', `namespace ${name} is never injected`);
  if (spec?.hostNetwork) return skip('HostNetwork', 'spec.hostNetwork: the pod shares the network of its node');
  if (spec?.os?.name === 'windows') return skip('Windows', 'spec.os.name: Envoy sidecars need Linux');
  if (metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return skip('MirrorPod', 'a static pod is made by kubelet and cannot be changed');
  }
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const hasProxy = containers.some((container) => container.name === PROXY_CONTAINER);
  if (hasProxy && metadata?.annotations?.[INJECTION_STATUS_ANNOTATION] === undefined) {
    return skip('ForeignSidecar', `the pod already has a container ${PROXY_CONTAINER} that Heddle did not put there`);
  }
  return undefined;
}

/** The pod's own label decides over its annotation, Heddle's name over Istio's. */
function podWish({ metadata }: V1Pod, namespace: NamespaceView): Decision | undefined {
  const labels = metadata?.labels ?? {};
  const annotations = metadata?.annotations ?? {};
  const revision = labels[ISTIO_REVISION_LABEL];
  const foreignRevision = revision !== undefined && revision !== REVISION;
  // Istio's name says nothing about Heddle where Istio serves this namespace, or where the pod names another revision.
  const istioCounts =
    isInjectionNamespace(namespace) || revision === REVISION || (!namespace.istioInstalled && !foreignRevision);
  const wishes: (readonly [string, string | undefined])[] = [
    [`metadata.labels[${INJECT_KEY}]`, labels[INJECT_KEY]],
    [`metadata.labels[${ISTIO_INJECT_KEY}]`, istioCounts ? labels[ISTIO_INJECT_KEY] : undefined],
    [`metadata.annotations[${INJECT_KEY}]`, annotations[INJECT_KEY]],
    [`metadata.annotations[${ISTIO_INJECT_KEY}]`, istioCounts ? annotations[ISTIO_INJECT_KEY] : undefined],
  ];
  for (const [field, value] of wishes) {
    if (value === undefined) continue;
    if (TRUE.has(value)) return INJECT;
    if (FALSE.has(value)) return skip('PodOptedOut', `${field} is "${value}"`);
    return { verdict: 'refuse', message: `${field}: "${value.slice(0, 200)}" must be "true" or "false"` };
  }
  return undefined;
}

function namespaceWish(namespace: NamespaceView): Decision {
  if (isInjectionNamespace(namespace)) return INJECT;
  if (namespace.istioInstalled && namespace.labels[ISTIO_INJECTION_LABEL] === 'enabled') {
    return skip('IstioNamespace', `${ISTIO_INJECTION_LABEL} belongs to the Istio injector that is installed`);
  }
  return skip('NotSelected', `namespace ${namespace.name} has no label ${INJECTION_LABEL}=enabled`);
}
