import type { V1Pod } from '@kubernetes/client-node';
import { PROXY_CONTAINER } from '../../api/pod-names.ts';
import { portMode } from '../../operator/mesh/mtls.ts';
import { matchSelector } from '../../operator/mesh/selector.ts';
import type { MeshSnapshot, MtlsMode, Workload } from '../../operator/mesh/snapshot.ts';
import { decideInjection, type NamespaceView } from '../../webhook/inject/decision.ts';
import { type AppliedPolicies, policiesOf } from './applied-policies.ts';
import { routesOf } from './described-service.ts';

/** What is to be said of a pod. */
export interface DescribedPod {
  readonly name: string;
  readonly workload: string;
  readonly revision: string;
  readonly serviceAccount: string;
  /** Absent: it has no sidecar. */
  readonly sidecar?: DescribedSidecar;
  /** Why it has no sidecar, in a sentence. */
  readonly withoutSidecar?: string;
  readonly services: readonly string[];
}

/** The sidecar of a pod, and what it does. */
export interface DescribedSidecar {
  readonly image: string;
  readonly started: boolean;
  readonly identity: string;
  readonly loading: 'eager' | 'on-demand';
  readonly ports: readonly {
    readonly port: number;
    readonly protocol: string;
    readonly mode: MtlsMode;
    readonly service?: string;
  }[];
  readonly policies: AppliedPolicies;
  readonly egress: string;
  /** Routes that callers of its Services have. */
  readonly routes: readonly string[];
}

/** @param pod as the API server has it */
export function describePod(snapshot: MeshSnapshot, pod: V1Pod, namespace: NamespaceView): DescribedPod {
  const { name = '', uid = '', labels = {} } = pod.metadata ?? {};
  const workload = snapshot.workloads.get(uid);
  const services = [...snapshot.services.values()].filter(
    (one) => one.namespace === pod.metadata?.namespace && matchSelector(one.selector, labels),
  );
  const owner = pod.metadata?.ownerReferences?.find(({ controller }) => controller === true)?.name;
  return {
    name: `${pod.metadata?.namespace}/${name}`,
    workload: workload?.owner ?? owner ?? name,
    revision: workload?.revision ?? '',
    serviceAccount: pod.spec?.serviceAccountName ?? 'default',
    ...(workload === undefined
      ? { withoutSidecar: whyNone(pod, namespace) }
      : {
          sidecar: describeSidecar(
            snapshot,
            workload,
            pod,
            services.flatMap((one) => routesOf(snapshot, one)),
          ),
        }),
    services: services.map((one) => `${one.namespace}/${one.name}`),
  };
}

function describeSidecar(
  snapshot: MeshSnapshot,
  workload: Workload,
  pod: V1Pod,
  routes: readonly string[],
): DescribedSidecar {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return {
    image: containers.find((one) => one.name === PROXY_CONTAINER)?.image ?? '',
    started: workload.proxyStarted !== false,
    identity: workload.spiffeId.replace('spiffe://', ''),
    loading: workload.onDemand ? 'on-demand' : 'eager',
    ports: workload.inbound
      .filter(({ protocol }) => protocol !== 'udp')
      .map(({ port, protocol, service }) => ({
        port,
        protocol: protocol === 'auto' ? 'detected' : protocol,
        mode: portMode(workload.mtls, port),
        ...(service !== undefined && { service }),
      })),
    policies: policiesOf(workload),
    egress: egressWords(snapshot, workload),
    routes: [...new Set(routes)],
  };
}

function egressWords({ sidecars, settings }: MeshSnapshot, { sidecar }: Workload): string {
  const scope = sidecar === undefined ? undefined : sidecars.get(sidecar);
  const mode = scope?.outboundPolicy ?? settings.outboundTrafficPolicy.mode;
  const others = mode === 'ALLOW_ANY' ? 'other hosts pass' : 'no other host passes';
  if (scope === undefined) return `it may call all services that are exported to it; ${others} (${mode})`;
  const hosts = [
    ...new Set(scope.egress.flatMap((one) => one.hosts.map(({ namespace, host }) => `${namespace}/${host}`))),
  ];
  return `Sidecar ${scope.object.namespace}/${scope.object.name}: ${hosts.join(', ') || 'all services'}; ${others} (${mode})`;
}

function whyNone(pod: V1Pod, namespace: NamespaceView): string {
  const decision = decideInjection(pod, namespace);
  if (decision.verdict === 'inject')
    return 'it was made before its namespace had sidecars, or while the webhook was away: restart the workload';
  return decision.message;
}
