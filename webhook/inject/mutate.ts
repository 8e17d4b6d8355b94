import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import {
  CANARY_GATE,
  DNS_CAPTURE_ANNOTATION,
  INIT_CONTAINER,
  INJECTION_STATUS_ANNOTATION,
  PROXY_CONTAINER,
  REFUSAL_LOG_ANNOTATION,
  TLS_MODE_ISTIO,
  TLS_MODE_LABEL,
  TRACE_RESOURCE_ANNOTATION,
} from '../../api/pod-names.ts';
import { CANONICAL_NAME_LABEL, CANONICAL_REVISION_LABEL, readAnnotations } from '../../proxy/annotations.ts';
import { formatBootstrap, MAX_BOOTSTRAP_BYTES } from '../../proxy/bootstrap.ts';
import { type ProbeRecord, rewriteProbes } from '../../proxy/probes.ts';
import type { RedirectOptions } from '../../proxy/redirect.ts';
import { findCollisions } from './collisions.ts';
import { buildInitContainer, buildSidecar, refreshContainer } from './containers.ts';
import { type Scraping, scrapeSidecar } from './scraping.ts';
import type { InjectionSettings } from './settings.ts';
import { INJECTION_VERSION, type InjectionStatus, readKnownApplication } from './status.ts';
import { buildVolumes, VOLUME_NAMES } from './volumes.ts';
import { canonicalService, ownWorkload } from './workload.ts';

export interface Injection {
  /** The pod with its sidecar; equal to what was given when there are problems. */
  readonly pod: V1Pod;
  /** Why it can't be injected, one sentence each, naming the field. */
  readonly problems: readonly string[];
  /** What is done otherwise than its user may think, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Adds the sidecar to a pod. Pure; what is given is not changed, and injecting the result again changes nothing.
 * @param gated hold the pod back until its Canary's analysis has passed
 */
export function injectPod(pod: V1Pod, settings: InjectionSettings, gated = false): Injection {
  const { annotations } = pod.metadata ?? {};
  const { logLevel, dnsCapture } = settings;
  const { options, problems: annotationProblems } = readAnnotations(annotations, { logLevel, dnsCapture });
  const known = readKnownApplication(annotations);
  const problems = [
    ...annotationProblems,
    ...findCollisions(pod, annotations?.[INJECTION_STATUS_ANNOTATION] !== undefined),
  ];
  if (!known)
    problems.push(`metadata.annotations[${INJECTION_STATUS_ANNOTATION}]: is not what Heddle writes; remove it`);
  const spec = pod.spec;
  if (!spec || !known || problems.length > 0) return { pod, problems, warnings: [] };

  const rewritten = rewriteContainers(spec, options.rewriteProbes ? known.probes : undefined);
  const scraping = scrapeSidecar(pod, options.mergeMetrics, known.application);
  const canonical = canonicalService(pod);
  const bootstrap = formatBootstrap({
    own: ownWorkload(pod, canonical, settings),
    clusterDomain: settings.clusterDomain,
    probes: rewritten.probes,
    application: scraping.application,
    ipv6: settings.ipv6,
  });
  if (bootstrap.length > MAX_BOOTSTRAP_BYTES) {
    problems.push(
      'spec.containers: too many probes for one sidecar; set sidecar.istio.io/rewriteAppHTTPProbers to "false"',
    );
  }
  problems.push(...rewritten.problems);
  if (problems.length > 0) return { pod, problems, warnings: [] };

  const redirect = {
    ...withProbePorts(options, rewritten.probes),
    captureDnsOutside: options.dnsCapture ? settings.clusterDomain : '',
  };
  const init = buildInitContainer(settings, redirect, spec);
  const sidecar = buildSidecar(settings, options, bootstrap, spec, canonical.name);
  const existing = (name: string) => spec.initContainers?.find((container) => container.name === name);
  const metadata = labelled(pod, canonical, rewritten.probes, scraping, options.dnsCapture);
  return {
    pod: {
      ...pod,
      metadata,
      spec: {
        ...spec,
        initContainers: [
          refreshContainer(existing(INIT_CONTAINER), init),
          refreshContainer(existing(PROXY_CONTAINER), sidecar),
          ...rewritten.initContainers,
        ],
        containers: rewritten.containers,
        volumes: withVolumes(spec),
        ...(gated ? { readinessGates: withGate(spec) } : {}),
      },
    },
    problems: [],
    warnings: scraping.warnings,
  };
}

interface Rewritten {
  readonly initContainers: V1Container[];
  readonly containers: V1Container[];
  readonly probes: ProbeRecord;
  readonly problems: readonly string[];
}

/** Probes of application containers and of native sidecars other than ours; ordinary init containers have none. */
function rewriteContainers(spec: V1PodSpec, known: ProbeRecord | undefined): Rewritten {
  const others = (spec.initContainers ?? []).filter(({ name }) => name !== INIT_CONTAINER && name !== PROXY_CONTAINER);
  if (!known) return { initContainers: others, containers: spec.containers, probes: {}, problems: [] };
  const { containers, probes, problems } = rewriteProbes([...others, ...spec.containers], known);
  return {
    initContainers: containers.slice(0, others.length),
    containers: containers.slice(others.length),
    probes,
    problems,
  };
}

/** The plaintext ports that stand in for gRPC probe ports are not redirected either. */
function withProbePorts(options: RedirectOptions, probes: ProbeRecord): RedirectOptions {
  const ports = Object.values(probes).flatMap(({ listenerPort }) => (listenerPort === undefined ? [] : [listenerPort]));
  return { ...options, excludeInboundPorts: [...new Set([...options.excludeInboundPorts, ...ports])] };
}

function labelled(
  pod: V1Pod,
  canonical: { name: string; revision: string },
  probes: ProbeRecord,
  { annotations, application }: Scraping,
  dnsCapture: boolean,
): V1Pod['metadata'] & {} {
  const status: InjectionStatus = {
    version: INJECTION_VERSION,
    initContainers: [INIT_CONTAINER, PROXY_CONTAINER],
    volumes: VOLUME_NAMES,
    probes,
    ...(application === undefined ? {} : { application }),
  };
  return {
    ...pod.metadata,
    labels: {
      ...pod.metadata?.labels,
      [TLS_MODE_LABEL]: TLS_MODE_ISTIO,
      [CANONICAL_NAME_LABEL]: canonical.name,
      [CANONICAL_REVISION_LABEL]: canonical.revision,
    },
    annotations: {
      ...annotations,
      [INJECTION_STATUS_ANNOTATION]: JSON.stringify(status),
      [REFUSAL_LOG_ANNOTATION]: 'bounded',
      [TRACE_RESOURCE_ANNOTATION]: 'environment',
      // Told to the operator, whatever the mesh's setting becomes.
      ...(dnsCapture ? { [DNS_CAPTURE_ANNOTATION]: 'enabled' } : {}),
    },
  };
}

function withVolumes(spec: V1PodSpec): NonNullable<V1PodSpec['volumes']> {
  const present = spec.volumes ?? [];
  const names = new Set(present.map(({ name }) => name));
  return [...present, ...buildVolumes().filter(({ name }) => !names.has(name))];
}

function withGate(spec: V1PodSpec): NonNullable<V1PodSpec['readinessGates']> {
  const gates = spec.readinessGates ?? [];
  return gates.some(({ conditionType }) => conditionType === CANARY_GATE)
    ? gates
    : [...gates, { conditionType: CANARY_GATE }];
}
