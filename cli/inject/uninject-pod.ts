import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { CANARY_GATE, INIT_CONTAINER, INJECTION_STATUS_ANNOTATION, PROXY_CONTAINER } from '../../api/pod-names.ts';
import { PROBE_PORT } from '../../proxy/ports.ts';
import { type OriginalProbe, PROBE_KINDS, type ProbeRecord, probePath } from '../../proxy/probes.ts';
import { sidecarMarks } from '../../webhook/inject/marks.ts';
import { type KnownApplication, readKnownApplication } from '../../webhook/inject/status.ts';
import { VOLUME_NAMES } from '../../webhook/inject/volumes.ts';
import {
  BEFORE_ANNOTATION,
  type BeforeInjection,
  COLLECTIONS,
  HANDLERS,
  type Handler,
  handlerAt,
  isEmpty,
  readBefore,
} from './before-injection.ts';

/** Annotations that are there for us alone. */
const NOTES = { [INJECTION_STATUS_ANNOTATION]: null, [BEFORE_ANNOTATION]: null };

type Json = Record<string, unknown>;

/** Whether a pod has a sidecar that Heddle put there. */
export function isInjected({ metadata }: V1Pod): boolean {
  return metadata?.annotations?.[INJECTION_STATUS_ANNOTATION] !== undefined;
}

/**
 * Takes the sidecar out of a pod. What `heddle inject` made becomes exactly what it was made of; of a pod that the webhook injected probes come back as
 * the sidecar knows them (a path always has its slash, a port number is no text).
 * @param pod one that is injected; it is not changed
 */
export function uninjectPod(pod: V1Pod): V1Pod {
  const annotations = pod.metadata?.annotations;
  const before = readBefore(annotations);
  const known = readKnownApplication(annotations) ?? { probes: {} };
  const marks = sidecarMarks({ name: '', revision: '' }, known.meshCapturesDns ?? false);
  const restore = (container: V1Container): V1Container => restoreContainer(container, before, known.probes);
  const { initContainers, containers, volumes, readinessGates } = listsOf(pod);
  const own = new Set([INIT_CONTAINER, PROXY_CONTAINER]);
  const result = {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: withBefore(pod.metadata?.labels, before ? before.labels : without(marks.labels)),
      annotations: withBefore(annotations, {
        ...(before ? before.annotations : { ...without(marks.annotations), ...scrapedBefore(pod, known) }),
        ...NOTES,
      }),
    },
    spec: {
      ...pod.spec,
      initContainers: initContainers.filter(({ name }) => !own.has(name)).map(restore),
      containers: containers.map(restore),
      volumes: volumes.filter(({ name }) => !VOLUME_NAMES.includes(name)),
      ...withoutGate(readinessGates),
    },
  };
  if (readinessGates.length > 0 && result.spec.readinessGates === undefined) delete result.spec.readinessGates;
  return emptied(result as unknown as Json, before) as V1Pod;
}

/** The lists of a spec, whatever a file says. */
function listsOf({ spec }: V1Pod) {
  return {
    initContainers: spec?.initContainers ?? [],
    containers: spec?.containers ?? [],
    volumes: spec?.volumes ?? [],
    readinessGates: spec?.readinessGates ?? [],
  };
}

function withoutGate(gates: readonly { conditionType: string }[]): { readinessGates?: { conditionType: string }[] } {
  const left = gates.filter(({ conditionType }) => conditionType !== CANARY_GATE);
  if (left.length === gates.length) return {};
  return left.length > 0 ? { readinessGates: left } : ({ readinessGates: undefined } as object);
}

/** A map with keys as they were; null: without them. */
function withBefore(
  map: Readonly<Record<string, string>> | undefined,
  before: Readonly<Record<string, string | null>> = {},
): Record<string, string> {
  const all = Object.entries({ ...map, ...before });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The same keys, as there were none of them. */
function without(marks: Readonly<Record<string, string>>): Record<string, null> {
  return Object.fromEntries(Object.keys(marks).map((key) => [key, null]));
}

/** What Prometheus was told of a pod that the webhook injected, as the sidecar was told of it. */
function scrapedBefore({ metadata }: V1Pod, { application }: KnownApplication): Record<string, string | null> {
  if (metadata?.annotations?.['prometheus.io/port'] !== String(PROBE_PORT)) return {};
  if (!application) return { 'prometheus.io/scrape': null, 'prometheus.io/port': null, 'prometheus.io/path': null };
  return {
    'prometheus.io/port': String(application.port),
    'prometheus.io/path': application.path,
    ...(application.scheme === 'https' ? { 'prometheus.io/scheme': 'https' } : {}),
  };
}

/** Collections that nothing is left in become what they were: absent, unless it is known that they were written down empty. */
function emptied(pod: Json, before: BeforeInjection | undefined): Json {
  for (const path of COLLECTIONS) {
    const parent = (path.length === 1 ? pod : pod[path[0]]) as Json;
    const key = path[path.length - 1] as string;
    if (!isEmpty(parent[key])) continue;
    const was = before?.empty ?? {};
    if (Object.hasOwn(was, path.join('.'))) parent[key] = was[path.join('.')];
    else delete parent[key];
  }
  return pod;
}

function restoreContainer(container: V1Container, before: BeforeInjection | undefined, known: ProbeRecord) {
  const restored = { ...container };
  for (const [index, path] of HANDLERS.entries()) {
    const handler = handlerAt(container, path);
    if (handler === undefined) continue;
    const target = before
      ? before.handlers?.[`${container.name}/${path.join('.')}`]
      : originalTarget(handler, known[probePath(container.name, PROBE_KINDS[index] ?? 'livez')]);
    if (target === undefined) continue;
    const { httpGet: _http, tcpSocket: _tcp, grpc: _grpc, ...rest } = handler as Json;
    const [first, second] = path;
    const value = { ...rest, ...target };
    if (second === undefined) restored[first] = value as never;
    else restored.lifecycle = { ...restored.lifecycle, [second]: value };
  }
  return restored;
}

/** Where a probe asked, by what the sidecar was told of it. */
function originalTarget({ httpGet, grpc }: Handler, original: OriginalProbe | undefined): Handler | undefined {
  if (!original) return undefined;
  const port = original.portName ?? original.port;
  if (original.type === 'grpc') return { grpc: { ...(grpc as object), port: original.port } };
  if (original.type === 'tcp') return { tcpSocket: { port } };
  const { scheme: _, ...rest } = httpGet as { scheme?: string };
  const scheme = original.type === 'https' ? { scheme: 'HTTPS' } : {};
  return { httpGet: { ...rest, path: original.path, port, ...scheme } };
}
