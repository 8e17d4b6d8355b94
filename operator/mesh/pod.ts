import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { type ConfigurationLoading, configurationLoading } from '../../api/mesh-config.ts';
import {
  DNS_CAPTURE_ANNOTATION,
  INIT_CONTAINER,
  INJECTION_STATUS_ANNOTATION,
  LOADING_ANNOTATION,
  METRICS_PAGE_ANNOTATION,
  PROXY_CONTAINER,
  REFUSAL_LOG_ANNOTATION,
  REVISION_LABELS,
  TLS_MODE_ISTIO,
  TLS_MODE_LABEL,
  TRACE_RESOURCE_ANNOTATION,
} from '../../api/pod-names.ts';
import { matchOwner } from '../../api/pod-owner.ts';
import { type InboundCapture, readCapture } from './capture.ts';
import { isHeldByOurGateAlone } from './eligibility.ts';
import { creationTime, keyOf } from './mesh-object.ts';
import { ownerKey } from './owner-key.ts';
import type { Labels } from './selector.ts';

/** A TCP port that a container of the application declares. */
export interface ContainerPort {
  readonly name: string;
  readonly port: number;
}

/** What the mesh reads of a Pod. */
export interface PodFacts {
  /** `namespace/name`; another incarnation may have the same. */
  readonly key: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly labels: Labels;
  readonly addresses: readonly string[];
  readonly serviceAccount: string;
  readonly node: string;
  readonly owner: string;
  /** `namespace/Kind/name` of the owner. */
  readonly ownerKey: string;
  /** '' when no label tells it. */
  readonly revision: string;
  /** Runs our sidecar: a proxy. */
  readonly injected: boolean;
  /** The sidecar's startup probe has passed. */
  readonly proxyStarted: boolean;
  /** Its inbound side understands mesh mTLS, whoever injected it. */
  readonly meshTls: boolean;
  /** Its sidecar answers the application's DNS queries. */
  readonly dnsCapture: boolean;
  readonly boundsRefusalLog: boolean;
  /** Its sidecar's environment says which service it is. */
  readonly namesItself: boolean;
  /** Its page of metrics is as Telemetry resources say. */
  readonly overridesMetrics: boolean;
  /** As its annotation says; undefined: as the mesh's settings do. */
  readonly configurationLoading: ConfigurationLoading | undefined;
  /** Ports that its sidecar serves; the others are the application's own. */
  readonly capture: InboundCapture;
  readonly deleting: boolean;
  /** Nothing but the readiness gate of the canary (or kubelet not having seen it open) holds it back. */
  readonly heldByGate: boolean;
  /** Its Ready condition. */
  readonly ready: boolean;
  readonly ports: readonly ContainerPort[];
}

/** Reads a Pod. */
export function readPod(pod: V1Pod): PodFacts {
  const { metadata, spec, status } = pod;
  const labels = metadata?.labels ?? {};
  const namespace = metadata?.namespace ?? '';
  const owner = matchOwner(pod);
  const addresses = status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP ? [status.podIP] : []);
  return {
    key: keyOf(metadata),
    uid: metadata?.uid ?? keyOf(metadata),
    name: metadata?.name ?? '',
    namespace,
    createdAt: creationTime(metadata),
    labels,
    addresses: addresses.filter((address) => address !== ''),
    serviceAccount: spec?.serviceAccountName || 'default',
    node: spec?.nodeName ?? '',
    owner: owner.name,
    ownerKey: ownerKey(namespace, owner.kind, owner.name),
    revision: REVISION_LABELS.map((label) => labels[label]).find((value) => value !== undefined) ?? '',
    injected: isInjected(pod),
    proxyStarted: isProxyStarted(pod),
    meshTls: labels[TLS_MODE_LABEL] === TLS_MODE_ISTIO,
    dnsCapture: metadata?.annotations?.[DNS_CAPTURE_ANNOTATION] === 'enabled',
    boundsRefusalLog: metadata?.annotations?.[REFUSAL_LOG_ANNOTATION] === 'bounded',
    namesItself: metadata?.annotations?.[TRACE_RESOURCE_ANNOTATION] === 'environment',
    overridesMetrics: metadata?.annotations?.[METRICS_PAGE_ANNOTATION] === 'overridden',
    configurationLoading: configurationLoading.safeParse(metadata?.annotations?.[LOADING_ANNOTATION]).data,
    capture: readCapture(metadata?.annotations),
    deleting: metadata?.deletionTimestamp !== undefined && metadata.deletionTimestamp !== null,
    heldByGate: isHeldByOurGateAlone(pod),
    ready: status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
    ports: declaredPorts(pod),
  };
}

/** Whether a pod runs our sidecar: not once it has ended, and not on the host's network. */
export function isInjected({ metadata, spec, status }: V1Pod): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if (ended || spec?.hostNetwork === true) return false;
  if (metadata?.annotations?.[INJECTION_STATUS_ANNOTATION] === undefined) return false;
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ name }) => name === PROXY_CONTAINER);
}

function isProxyStarted({ status }: V1Pod): boolean {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return statuses.some(({ name, started }) => name === PROXY_CONTAINER && started === true);
}

function declaredPorts({ spec }: V1Pod): ContainerPort[] {
  // An init container that restarts is a sidecar and serves like any container; other init containers end.
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const containers: V1Container[] = [...(spec?.containers ?? []), ...sidecars];
  return containers
    .filter(({ name }) => name !== PROXY_CONTAINER && name !== INIT_CONTAINER)
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
    .map(({ name, containerPort }) => ({ name: name ?? '', port: containerPort }));
}

/** Index values of pods with a sidecar whose page of metrics nobody overrides: their namespace, and `*` for all namespaces. */
export function wholePageTerms({ injected, namespace, overridesMetrics }: PodFacts): string[] {
  return injected && !overridesMetrics ? [namespace, '*'] : [];
}

/** Index values of pods with a sidecar that does not serve all ports: their namespace, and `*` for all namespaces. */
export function partialTerms({ injected, namespace, capture }: PodFacts): string[] {
  return injected && (capture.include !== '*' || capture.exclude.length > 0) ? [namespace, '*'] : [];
}
