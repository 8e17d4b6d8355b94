import type { V1Container, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import {
  CANARY_GATE,
  DNS_CAPTURE_ANNOTATION,
  INIT_CONTAINER,
  INJECTION_STATUS_ANNOTATION,
  PROXY_CONTAINER,
} from '../../api/pod-names.ts';
import { readAnnotations } from '../../proxy/annotations.ts';
import { formatBootstrap, MAX_BOOTSTRAP_BYTES } from '../../proxy/bootstrap.ts';
import { type ProbeRecord, rewriteProbes } from '../../proxy/probes.ts';
import type { RedirectOptions } from '../../proxy/redirect.ts';
import { findCollisions } from './collisions.ts';
import { buildInitContainer, buildSidecar, refreshContainer } from './containers.ts';
import { sidecarMarks } from './marks.ts';
import { type Scraping, scrapeSidecar } from './scraping.ts';
import type { InjectionSettings } from './settings.ts';
import { INJECTION_VERSION, type InjectionStatus, readKnownApplication } from './status.ts';
import { buildVolumes, VOLUME_NAMES } from './volumes.ts';
import { type Canonical, canonicalService, ownWorkload } from './workload.ts';

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
  const { metadata: { annotations } = {}, spec } = pod;
  const { logLevel, dnsCapture } = settings;
  const { options, problems: annotationProblems } = readAnnotations(annotations, { logLevel, dnsCapture });
  const known = readKnownApplication(annotations);
  const problems = [
    ...annotationProblems,
    ...findCollisions(pod, annotations?.[INJECTION_STATUS_ANNOTATION] !== undefined),
  ];
  if (!known)
    problems.push(`metadata.annotations[${INJECTION_STATUS_ANNOTATION}]: is not what Heddle writes; remove it`);
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
  const meshCapturesDns = options.dnsCapture && (known.meshCapturesDns || !annotations?.[DNS_CAPTURE_ANNOTATION]);
  const metadata = marked(pod, canonical, rewritten.probes, scraping, meshCapturesDns);
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

function statusOf(probes: ProbeRecord, { application }: Scraping, meshCapturesDns: boolean): InjectionStatus {
  return {
    version: INJECTION_VERSION,
    initContainers: [INIT_CONTAINER, PROXY_CONTAINER],
    volumes: VOLUME_NAMES,
    probes,
    ...(application === undefined ? {} : { application }),
    ...(meshCapturesDns ? { meshCapturesDns } : {}),
  };
}

function marked(
  { metadata }: V1Pod,
  canonical: Canonical,
  probes: ProbeRecord,
  scraping: Scraping,
  meshCapturesDns: boolean,
): V1Pod['metadata'] & {} {
  const marks = sidecarMarks(canonical, meshCapturesDns);
  const status = JSON.stringify(statusOf(probes, scraping, meshCapturesDns));
  return {
    ...metadata,
    labels: { ...metadata?.labels, ...marks.labels },
    annotations: { ...scraping.annotations, [INJECTION_STATUS_ANNOTATION]: status, ...marks.annotations },
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
