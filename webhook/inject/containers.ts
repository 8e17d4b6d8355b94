import type {
  V1Container,
  V1EnvVar,
  V1PodSpec,
  V1Probe,
  V1ResourceRequirements,
  V1VolumeMount,
} from '@kubernetes/client-node';
import { INIT_CONTAINER, PROXY_CONTAINER } from '../../api/pod-names.ts';
import { BOOTSTRAP_VARIABLES } from '../../proxy/bootstrap.ts';
import { READY_PATH } from '../../proxy/health-listener.ts';
import { TOKEN_MOUNT_PATH, TRUST_MOUNT_PATH } from '../../proxy/names.ts';
import type { ProxyOptions } from '../../proxy/options.ts';
import { HEALTH_PORT, METRICS_PORT, PROXY_UID } from '../../proxy/ports.ts';
import type { RedirectOptions } from '../../proxy/redirect.ts';
import { formatRedirectOptions, REDIRECT_ENV } from '../../proxy/redirect-options.ts';
import { FILES_MOUNT_PATH } from '../../proxy/refusal-budget.ts';
import type { InjectionSettings } from './settings.ts';
import { FILES_VOLUME, TOKEN_VOLUME, TRUST_VOLUME } from './volumes.ts';

/** Kubernetes' own. */
const DEFAULT_GRACE_SECONDS = 30;
const MIN_DRAIN_SECONDS = 20;
const LINGER_SECONDS = 5;

const SECCOMP = { seccompProfile: { type: 'RuntimeDefault' } } as const;

/** The container that loads the redirection rules and ends: root, with NET_ADMIN and nothing else. */
export function buildInitContainer(
  settings: InjectionSettings,
  redirect: RedirectOptions,
  spec: V1PodSpec,
): V1Container {
  return {
    name: INIT_CONTAINER,
    image: settings.initImage,
    imagePullPolicy: settings.imagePullPolicy,
    command: [...settings.initCommand],
    env: [{ name: REDIRECT_ENV, value: formatRedirectOptions(redirect) }],
    volumeMounts: [{ name: FILES_VOLUME, mountPath: FILES_MOUNT_PATH }],
    resources: fitPod({ requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } }, spec),
    securityContext: {
      runAsUser: 0,
      runAsGroup: 0,
      // The pod may demand runAsNonRoot of its own containers.
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      ...SECCOMP,
    },
  };
}

/**
 * Keeps the proxy for some seconds after an application that ends at once, until all callers have heard that the pod goes.
 * Kubelet runs it from the pod's first moment of ending, beside the application's own hooks.
 */
function linger({ terminationGracePeriodSeconds: grace = DEFAULT_GRACE_SECONDS }: V1PodSpec): Partial<V1Container> {
  // The API server refuses a sleep that is longer than the pod has to end.
  const seconds = Math.min(LINGER_SECONDS, grace);
  return seconds > 0 ? { lifecycle: { preStop: { sleep: { seconds } } } } : {};
}

/** Longer than the pod has to end, so that streams under way in an ending pod are cut by kubelet alone. */
function drainSeconds({ terminationGracePeriodSeconds = DEFAULT_GRACE_SECONDS }: V1PodSpec): number {
  return Math.max(MIN_DRAIN_SECONDS, terminationGracePeriodSeconds + 5);
}

/** Asks Envoy whether it is ready. */
function probe(periodSeconds: number, failureThreshold: number): V1Probe {
  return { httpGet: { path: READY_PATH, port: HEALTH_PORT }, periodSeconds, timeoutSeconds: 3, failureThreshold };
}

/** What spans and logs by OpenTelemetry say of the sidecar, in the format of that variable; kubelet puts in what the variables before it have. */
function formatTraceResource(service: string): string {
  const attributes = [
    'service.namespace=$(POD_NAMESPACE)',
    'k8s.namespace.name=$(POD_NAMESPACE)',
    'k8s.pod.name=$(POD_NAME)',
  ];
  return [`service.name=${service}`, ...attributes, 'k8s.node.name=$(NODE_NAME)'].join(',');
}

/** Stock Envoy as a native sidecar: it starts before the application's own init containers and stops after the application. */
export function buildSidecar(
  settings: InjectionSettings,
  options: ProxyOptions,
  bootstrap: string,
  spec: V1PodSpec,
  service: string,
): V1Container {
  return {
    name: PROXY_CONTAINER,
    image: options.image ?? settings.proxyImage,
    imagePullPolicy: settings.imagePullPolicy,
    restartPolicy: 'Always',
    command: ['envoy'],
    args: [
      '--config-yaml',
      bootstrap,
      '--concurrency',
      String(workerThreads(options.cpuLimit ?? settings.cpuLimit, settings.concurrency)),
      '--log-level',
      options.logLevel,
      '--disable-hot-restart',
      // A changed listener asks at once, with the next answer, for a new connection; what does not come is closed after this.
      '--drain-strategy',
      'immediate',
      '--drain-time-s',
      String(drainSeconds(spec)),
    ],
    env: [
      ...Object.entries(BOOTSTRAP_VARIABLES).map(([name, fieldPath]) => ({
        name,
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
      })),
      { name: 'OTEL_RESOURCE_ATTRIBUTES', value: formatTraceResource(service) },
    ],
    ports: [{ name: 'http-envoy-prom', containerPort: METRICS_PORT, protocol: 'TCP' }],
    ...linger(spec),
    // The pod's other containers wait for this one, so look often; give up only after ten minutes without a control plane.
    startupProbe: probe(1, 600),
    readinessProbe: probe(10, 4),
    resources: sidecarResources(settings, options, spec),
    securityContext: {
      runAsUser: PROXY_UID,
      runAsGroup: PROXY_UID,
      runAsNonRoot: true,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      ...SECCOMP,
    },
    volumeMounts: [
      { name: TOKEN_VOLUME, mountPath: TOKEN_MOUNT_PATH, readOnly: true },
      { name: TRUST_VOLUME, mountPath: TRUST_MOUNT_PATH, readOnly: true },
      { name: FILES_VOLUME, mountPath: FILES_MOUNT_PATH, readOnly: true },
    ],
  };
}

/**
 * A container of an earlier pass, brought up to date: what is ours is set again, what other webhooks changed since (an image mirror,
 * more variables, more mounts) stays.
 */
export function refreshContainer(existing: V1Container | undefined, built: V1Container): V1Container {
  if (!existing) return built;
  const refreshed: V1Container = { ...existing };
  if (built.restartPolicy) refreshed.restartPolicy = built.restartPolicy;
  if (built.command) refreshed.command = built.command;
  if (built.args) refreshed.args = built.args;
  if (built.securityContext) refreshed.securityContext = built.securityContext;
  if (built.env) refreshed.env = mergeBy<V1EnvVar>(existing.env, built.env, ({ name }) => name);
  if (built.volumeMounts) {
    refreshed.volumeMounts = mergeBy<V1VolumeMount>(
      existing.volumeMounts,
      built.volumeMounts,
      (mount) => mount.mountPath,
    );
  }
  return refreshed;
}

function mergeBy<T>(existing: readonly T[] | undefined, built: readonly T[], key: (item: T) => string): T[] {
  const ours = new Map(built.map((item) => [key(item), item]));
  const kept = (existing ?? []).map((item) => {
    const mine = ours.get(key(item));
    ours.delete(key(item));
    return mine ?? item;
  });
  return [...kept, ...ours.values()];
}

function sidecarResources(settings: InjectionSettings, options: ProxyOptions, spec: V1PodSpec): V1ResourceRequirements {
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = options;
  const asked = cpuRequest ?? cpuLimit ?? memoryRequest ?? memoryLimit;
  if (asked === undefined) {
    const requests = { cpu: settings.cpu, memory: settings.memory };
    return fitPod({ requests, limits: compact({ cpu: settings.cpuLimit, memory: settings.memoryLimit }) }, spec);
  }
  // With any of the annotations only what they say holds, as with Istio; a request then equals its limit where it is not given.
  return {
    requests: compact({
      cpu: cpuRequest ?? cpuLimit ?? settings.cpu,
      memory: memoryRequest ?? memoryLimit ?? settings.memory,
    }),
    limits: compact({ cpu: cpuLimit, memory: memoryLimit }),
  };
}

function compact(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A pod with resources of its own (pod-level) bounds all containers; limits of ours could exceed it, and the API would refuse the pod. */
function fitPod(resources: V1ResourceRequirements, spec: V1PodSpec): V1ResourceRequirements {
  return spec.resources ? {} : resources;
}

/** One thread per core of the limit, rounded up. */
function workerThreads(cpuLimit: string | undefined, fallback: number): number {
  if (cpuLimit === undefined) return fallback;
  const amount = Number.parseFloat(cpuLimit);
  return Math.min(64, Math.max(1, Math.ceil(cpuLimit.endsWith('m') ? amount / 1000 : amount)));
}
