import type { V1Pod } from '@kubernetes/client-node';
import { PROXY_CONTAINER } from '../../../api/pod-names.ts';
import { INJECTION_LABEL, ISTIO_INJECTION_LABEL, ISTIO_REVISION_LABEL } from '../../../proxy/annotations.ts';
import { SYSTEM_NAMESPACE } from '../../../proxy/names.ts';
import { PROXY_UID } from '../../../proxy/ports.ts';
import { decideInjection, isInjectionNamespace } from '../../../webhook/inject/decision.ts';
import { type AnalysisContext, type Analyzer, refOf } from '../context.ts';
import type { AnyObject } from '../documents.ts';
import type { Finding } from '../message.ts';

/** Namespaces of the cluster itself, in which nobody expects a sidecar. */
const SYSTEM = new RegExp(`^(kube-.*|${SYSTEM_NAMESPACE}|local-path-storage|cert-manager)$`);

/** Namespaces and pods that are not part of the mesh, and sidecars of another version. */
export const analyzeInjection: Analyzer = function* (context) {
  const namespaces = context.ofKind('Namespace');
  const pods = context.ofKind<AnyObject & V1Pod>('Pod');
  for (const namespace of namespaces) yield* namespaceFindings(namespace, pods);
  for (const pod of pods) yield* podFindings(context, namespaces, pod);
};

function* namespaceFindings(namespace: AnyObject, pods: readonly AnyObject[]): Generator<Finding> {
  const name = namespace.metadata?.name ?? '';
  const labels = namespace.metadata?.labels ?? {};
  const object = refOf(namespace);
  const present = [INJECTION_LABEL, ISTIO_INJECTION_LABEL, ISTIO_REVISION_LABEL].filter((label) => label in labels);
  if (present.length > 1) {
    const message = `The namespace has more than one type of injection labels (${present.join(', ')}); ${present[0]} decides`;
    yield { code: 'IST0123', object, field: 'metadata.labels', message };
  }
  const hasPods = pods.some(({ metadata }) => metadata?.namespace === name);
  if (SYSTEM.test(name) || present.length > 0 || !hasPods) return;
  const message = `The namespace is not enabled for injection. Run 'kubectl label namespace ${name} ${INJECTION_LABEL}=enabled' to enable it, or '${INJECTION_LABEL}=disabled' to explicitly mark it as not needing injection.`;
  yield { code: 'IST0102', object, message };
}

function* podFindings(
  { config }: AnalysisContext,
  namespaces: readonly AnyObject[],
  pod: AnyObject & V1Pod,
): Generator<Finding> {
  const namespace = namespaces.find(({ metadata }) => metadata?.name === pod.metadata?.namespace);
  if (namespace === undefined) return;
  const view = {
    name: namespace.metadata?.name ?? '',
    labels: namespace.metadata?.labels ?? {},
    istioInstalled: false,
  };
  const object = refOf(pod);
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const proxy = containers.find(({ name }) => name === PROXY_CONTAINER);
  const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  if (proxy === undefined && isInjectionNamespace(view) && !isOver && decideInjection(pod, view).verdict === 'inject') {
    const message = `The pod ${object.name} is missing its sidecar. This can often be resolved by restarting or redeploying the workload.`;
    yield { code: 'IST0103', object, message };
  }
  const wanted = pod.metadata?.annotations?.['sidecar.istio.io/proxyImage'] ?? config.proxy.image;
  if (proxy?.image !== undefined && proxy.image !== wanted) {
    const message = `The sidecar of the pod is ${proxy.image}, and new ones are ${wanted}. Restart the workload to have the newer one.`;
    yield { code: 'IST0158', object, message };
  }
  const uid = [
    pod.spec?.securityContext,
    ...containers.filter(({ name }) => name !== PROXY_CONTAINER).map((one) => one.securityContext),
  ];
  if (proxy !== undefined && uid.some((one) => one?.runAsUser === PROXY_UID)) {
    yield {
      code: 'IST0144',
      object,
      message: `User ID (UID) ${PROXY_UID} is reserved for the sidecar: what the application sends past it is not redirected.`,
    };
  }
}
