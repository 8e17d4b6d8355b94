import type { V1EndpointSlice, V1Pod, V1PodTemplateSpec, V1Service } from '@kubernetes/client-node';
import { INJECTION_STATUS_ANNOTATION, TLS_MODE_ISTIO, TLS_MODE_LABEL } from '../../api/pod-names.ts';
import { matchSelector } from '../../operator/mesh/selector.ts';
import { decideInjection } from '../../webhook/inject/decision.ts';
import type { AnyObject } from './documents.ts';

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'];

type Workload = AnyObject & { readonly spec?: { readonly template?: V1PodTemplateSpec; readonly replicas?: number } };
type Pod = AnyObject & V1Pod;
type Service = AnyObject & V1Service;

/**
 * The pods that workloads would have which have none yet, one each, and the endpoints of Services that select them: what files alone say of a mesh.
 * @returns objects to be added
 */
export function expectPods(objects: readonly AnyObject[]): AnyObject[] {
  const pods = objects.filter(({ kind }) => kind === 'Pod') as readonly Pod[];
  const expected: Pod[] = [];
  for (const workload of objects as readonly Workload[]) {
    const template = workload.spec?.template;
    if (!WORKLOADS.includes(workload.kind ?? '') || template === undefined || workload.spec?.replicas === 0) continue;
    const labels = template.metadata?.labels ?? {};
    const namespace = workload.metadata?.namespace ?? '';
    const isThere = pods.some(
      ({ metadata }) => metadata?.namespace === namespace && matchSelector(labels, metadata?.labels ?? {}),
    );
    if (!isThere) expected.push(podOf(objects, workload, template, expected.length));
  }
  const services = objects.filter(({ kind }) => kind === 'Service') as readonly Service[];
  return [...expected, ...services.flatMap((service) => sliceOf(service, expected))];
}

function podOf(
  objects: readonly AnyObject[],
  { kind = '', metadata }: Workload,
  { metadata: own, spec }: V1PodTemplateSpec,
  index: number,
): Pod {
  const { name = '', namespace = '' } = metadata ?? {};
  const plain = { metadata: { ...own, name: `${name}-expected`, namespace }, spec } as V1Pod;
  const labels = objects.find((one) => one.kind === 'Namespace' && one.metadata?.name === namespace)?.metadata?.labels;
  // Of a namespace that nobody knows, a mesh of files is one in which it is part of it.
  const view = { name: namespace, labels: labels ?? { 'heddle.dev/injection': 'enabled' }, istioInstalled: false };
  const injected = decideInjection(plain, view).verdict === 'inject';
  const address = `198.18.${index >> 8}.${index & 255}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...own,
      name: `${name}-expected`,
      namespace,
      uid: `expected-${namespace}-${name}`,
      labels: { ...own?.labels, ...(injected && { [TLS_MODE_LABEL]: TLS_MODE_ISTIO }) },
      annotations: { ...own?.annotations, ...(injected && { [INJECTION_STATUS_ANNOTATION]: '{}' }) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: '', controller: true }],
    } as unknown as Pod['metadata'],
    spec: {
      ...spec,
      containers: spec?.containers ?? [],
      initContainers: [...(spec?.initContainers ?? []), ...(injected ? [{ name: 'istio-proxy' }] : [])],
    },
    status: {
      phase: 'Running',
      podIPs: [{ ip: address }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  } as Pod;
}

function sliceOf({ metadata, spec }: Service, pods: readonly Pod[]): (AnyObject & V1EndpointSlice)[] {
  const { name = '', namespace = '' } = metadata ?? {};
  const own = pods.filter(
    (pod) => pod.metadata?.namespace === namespace && matchSelector(spec?.selector ?? {}, pod.metadata?.labels ?? {}),
  );
  return own.map(
    (pod) =>
      ({
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: `${name}-${pod.metadata?.name}`, namespace, labels: { 'kubernetes.io/service-name': name } },
        addressType: 'IPv4',
        ports: (spec?.ports ?? []).map((port) => ({ name: port.name ?? '', port: targetOf(pod, port) })),
        endpoints: [
          {
            addresses: [pod.status?.podIPs?.[0]?.ip ?? ''],
            conditions: { ready: true },
            targetRef: { kind: 'Pod', name: pod.metadata?.name ?? '', uid: pod.metadata?.uid ?? '', namespace },
          },
        ],
      }) as AnyObject & V1EndpointSlice,
  );
}

function targetOf({ spec }: Pod, { port, targetPort = port }: { port: number; targetPort?: number | string }): number {
  if (typeof targetPort === 'number') return targetPort;
  const named = spec?.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort);
  return named?.containerPort ?? port;
}
