import type { V1ContainerStatus, V1EndpointSlice, V1Pod, V1Service } from '@kubernetes/client-node';
import type { AuthorizationPolicy, AuthorizationPolicySpec } from '../../../api/authorization-policy.ts';
import type { Canary } from '../../../api/canary.ts';
import type { CanaryStatus } from '../../../api/canary-status.ts';
import type { DestinationRule, DestinationRuleSpec } from '../../../api/destination-rule.ts';
import type { PeerAuthentication, PeerAuthenticationSpec } from '../../../api/peer-authentication.ts';
import { CANARY_GATE, INJECTION_STATUS_ANNOTATION, TLS_MODE_ISTIO, TLS_MODE_LABEL } from '../../../api/pod-names.ts';
import type { RateLimitPolicy, RateLimitPolicySpec } from '../../../api/rate-limit-policy.ts';
import type { RequestAuthentication, RequestAuthenticationSpec } from '../../../api/request-authentication.ts';
import type { ServiceEntry, ServiceEntrySpec } from '../../../api/service-entry.ts';
import type { Sidecar, SidecarSpec } from '../../../api/sidecar.ts';
import type { Telemetry, TelemetrySpec } from '../../../api/telemetry.ts';
import type { VirtualService, VirtualServiceSpec } from '../../../api/virtual-service.ts';
import type { WorkloadEntry, WorkloadEntrySpec } from '../../../api/workload-entry.ts';
import type { MeshSettings } from '../snapshot.ts';

/** Objects for the tests of this room. */

export const SETTINGS: MeshSettings = {
  trustDomain: 'cluster.local',
  clusterDomain: 'cluster.local',
  rootNamespace: 'heddle-system',
  outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
  proxy: { configurationLoading: 'eager' },
};

export interface PodOptions {
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Record<string, string>;
  readonly address?: string;
  /** Owned by this Deployment, with this `pod-template-hash`. */
  readonly deployment?: string;
  readonly revision?: string;
  readonly injected?: boolean;
  readonly node?: string;
  /** Has our gate, closed: containers ready, the pod not. */
  readonly gated?: boolean;
  readonly conditions?: Record<string, boolean>;
  readonly gates?: readonly string[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly deleting?: boolean;
  readonly phase?: string;
  /** The sidecar's startup probe has passed; default true. */
  readonly started?: boolean;
}

/** A pod; injected and ready unless told otherwise. */
export function pod(name: string, options: PodOptions = {}): V1Pod {
  const { namespace = 'shop', revision, deployment, injected = true, gated = false, ports = [] } = options;
  const labels = { ...options.labels, ...(revision === undefined ? {} : { 'pod-template-hash': revision }) };
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${deployment}-${revision}`, uid: 'rs' };
  const conditions = { ContainersReady: true, Ready: !gated, ...options.conditions };
  const gates = [...(options.gates ?? []), ...(gated ? [CANARY_GATE] : [])];
  return {
    metadata: {
      name,
      namespace,
      uid: options.uid ?? `uid-${name}`,
      labels: injected ? { ...labels, [TLS_MODE_LABEL]: TLS_MODE_ISTIO } : labels,
      ...(injected ? { annotations: { [INJECTION_STATUS_ANNOTATION]: '{}' } } : {}),
      ...(deployment === undefined ? {} : { ownerReferences: [{ ...owner, controller: true }] }),
      ...(options.deleting === true ? { deletionTimestamp: new Date(0) } : {}),
    },
    spec: {
      nodeName: options.node ?? 'node-1',
      serviceAccountName: deployment ?? 'default',
      containers: [{ name: 'app', ports: ports.map((port) => ({ ...port })) }],
      ...(injected ? { initContainers: [{ name: 'istio-proxy', restartPolicy: 'Always' }] } : {}),
      readinessGates: gates.map((conditionType) => ({ conditionType })),
    },
    status: {
      ...(injected ? { initContainerStatuses: [sidecarStatus(options.started ?? true)] } : {}),
      phase: options.phase ?? 'Running',
      podIPs: [{ ip: options.address ?? '10.0.0.1' }],
      conditions: Object.entries(conditions).map(([type, holds]) => ({ type, status: holds ? 'True' : 'False' })),
    },
  };
}

function sidecarStatus(started: boolean): V1ContainerStatus {
  return { name: 'istio-proxy', image: 'envoy', imageID: '', ready: started, restartCount: 0, started };
}

/** A Service with ClusterIP, by default with one port `http` 80 → 8080. */
export function service(name: string, selector: Record<string, string>, spec: V1Service['spec'] = {}): V1Service {
  return {
    metadata: { name, namespace: 'shop', creationTimestamp: new Date('2026-01-01T00:00:00Z') },
    spec: { clusterIP: '10.96.0.1', selector, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  };
}

/** A slice of a Service over pods; an endpoint is ready when its pod's Ready condition is. */
export function slice(serviceName: string, pods: readonly V1Pod[], ports: Record<string, number> = { http: 8080 }) {
  const object: V1EndpointSlice = {
    metadata: { name: `${serviceName}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': serviceName } },
    addressType: 'IPv4',
    ports: Object.entries(ports).map(([name, port]) => ({ name, port })),
    endpoints: pods.map(({ metadata, status }) => ({
      addresses: [status?.podIPs?.[0]?.ip ?? ''],
      conditions: {
        ready: status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
      },
      targetRef: { kind: 'Pod', name: metadata?.name ?? '', uid: metadata?.uid ?? '', namespace: 'shop' },
    })),
  };
  return object;
}

/** A Canary of a Deployment. */
export function canary(
  name: string,
  deployment: string,
  status: CanaryStatus,
  createdAt = '2026-01-01T00:00:00Z',
): Canary {
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'Canary',
    metadata: { name, namespace: 'shop', creationTimestamp: createdAt, generation: 1 },
    spec: {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
      progressDeadlineSeconds: 600,
      skipAnalysis: false,
      suspend: false,
      analysis: {
        interval: '10s',
        threshold: 5,
        minRequests: 10,
        confidence: 99,
        noTrafficPolicy: 'Fail',
        metrics: [],
        mirror: false,
        traffic: 'Requests',
        stepWeight: 50,
        maxWeight: 50,
      },
    },
    status,
  };
}

/** A PeerAuthentication, `namespace/name`. */
export function peerAuthentication(
  key: string,
  spec: PeerAuthenticationSpec,
  creationTimestamp = '2026-01-01T00:00:00Z',
): PeerAuthentication {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** An AuthorizationPolicy, `namespace/name`. */
export function authorizationPolicy(
  key: string,
  spec: AuthorizationPolicySpec,
  annotations: Record<string, string> = {},
): AuthorizationPolicy {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z', annotations },
    spec,
  };
}

/** A RequestAuthentication, `namespace/name`. */
export function requestAuthentication(key: string, spec: RequestAuthenticationSpec): RequestAuthentication {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec,
  };
}

/** A Telemetry, `namespace/name`. */
export function telemetry(key: string, spec: TelemetrySpec, creationTimestamp = '2026-01-01T00:00:00Z'): Telemetry {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'telemetry.istio.io/v1',
    kind: 'Telemetry',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** A RateLimitPolicy, `namespace/name`. */
export function rateLimitPolicy(key: string, spec: RateLimitPolicySpec): RateLimitPolicy {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'heddle.dev/v1alpha1',
    kind: 'RateLimitPolicy',
    metadata: { name, namespace, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec,
  };
}

/** A ServiceEntry, `namespace/name`. */
export function serviceEntry(
  key: string,
  spec: ServiceEntrySpec,
  creationTimestamp = '2026-01-01T00:00:00Z',
): ServiceEntry {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** A WorkloadEntry, `namespace/name`. */
export function workloadEntry(
  key: string,
  spec: WorkloadEntrySpec,
  creationTimestamp = '2026-01-01T00:00:00Z',
): WorkloadEntry {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** A DestinationRule, `namespace/name`. */
export function destinationRule(
  key: string,
  spec: DestinationRuleSpec,
  creationTimestamp = '2026-01-01T00:00:00Z',
): DestinationRule {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** A Sidecar, `namespace/name`. */
export function sidecar(key: string, spec: SidecarSpec, creationTimestamp = '2026-01-01T00:00:00Z'): Sidecar {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}

/** A VirtualService, `namespace/name`. */
export function virtualService(
  key: string,
  spec: VirtualServiceSpec,
  creationTimestamp = '2026-01-01T00:00:00Z',
): VirtualService {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name, namespace, generation: 1, creationTimestamp },
    spec,
  };
}
