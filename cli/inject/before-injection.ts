import { isDeepStrictEqual } from 'node:util';
import type { V1Container, V1Pod } from '@kubernetes/client-node';

/** Annotation with what `heddle inject` found where it wrote, as JSON, so that `heddle uninject` gives it back. */
export const BEFORE_ANNOTATION = 'heddle.dev/before-injection';

/** Probes and hooks of a container, each with where it stands. */
export const HANDLERS = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const;

/** Collections that injection makes where there are none. */
export const COLLECTIONS = [
  ['metadata', 'annotations'],
  ['metadata', 'labels'],
  ['metadata'],
  ['spec', 'initContainers'],
  ['spec', 'volumes'],
] as const;

/** What was there before: only what injection could not tell otherwise. */
export interface BeforeInjection {
  /** Labels and annotations that injection sets or takes away, by what they were; null: there was none. */
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** Collections that were written down, but empty: null, {} or []. */
  readonly empty?: Readonly<Record<string, unknown>>;
  /** Probes and hooks by `CONTAINER/livenessProbe`, where they asked. */
  readonly handlers?: Readonly<Record<string, Handler>>;
}

/** Where a probe or hook asks; the other fields of one stay as they are. */
export interface Handler {
  readonly httpGet?: unknown;
  readonly tcpSocket?: unknown;
  readonly grpc?: unknown;
}

/**
 * Notes what injection is about to write over.
 * @param before the pod, or template, as it was written
 * @param after the same with its sidecar
 */
export function noteBefore(before: V1Pod, after: V1Pod): BeforeInjection {
  const handlers: Record<string, Handler> = {};
  const injected = new Map(containersOf(after).map((container) => [container.name, container]));
  for (const container of containersOf(before)) {
    for (const path of HANDLERS) {
      const was = handlerAt(container, path);
      if (was === undefined || isDeepStrictEqual(was, handlerAt(injected.get(container.name), path))) continue;
      handlers[`${container.name}/${path.join('.')}`] = targetOf(was);
    }
  }
  const empty: Record<string, unknown> = {};
  for (const path of COLLECTIONS) {
    const parent = path.length === 1 ? before : before[path[0]];
    const key = path[path.length - 1] as string;
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, key)) continue;
    const value = (parent as Record<string, unknown>)[key];
    if (value !== undefined && isEmpty(value)) empty[path.join('.')] = value;
  }
  const labels = changedKeys(before.metadata?.labels, after.metadata?.labels);
  const annotations = changedKeys(before.metadata?.annotations, after.metadata?.annotations);
  return {
    ...(isEmpty(labels) ? {} : { labels }),
    ...(isEmpty(annotations) ? {} : { annotations }),
    ...(isEmpty(empty) ? {} : { empty }),
    ...(isEmpty(handlers) ? {} : { handlers }),
  };
}

/** Reads the annotation; undefined where there is none, or where it is not what `heddle inject` writes. */
export function readBefore(annotations: Readonly<Record<string, string>> | undefined): BeforeInjection | undefined {
  const text = annotations?.[BEFORE_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** All containers of a pod. */
function containersOf({ spec }: V1Pod): V1Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

/** A probe or hook of a container. */
export function handlerAt(
  container: V1Container | undefined,
  [first, second]: (typeof HANDLERS)[number],
): Handler | undefined {
  const at = container?.[first];
  const handler = second === undefined ? at : (at as V1Container['lifecycle'])?.[second];
  return (handler ?? undefined) as Handler | undefined;
}

/** The fields of a probe that say where to ask. */
function targetOf({ httpGet, tcpSocket, grpc }: Handler): Handler {
  return {
    ...(httpGet === undefined ? {} : { httpGet }),
    ...(tcpSocket === undefined ? {} : { tcpSocket }),
    ...(grpc === undefined ? {} : { grpc }),
  };
}

/** Whether a value is null, or a collection without anything in it. */
export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

function changedKeys(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>> | undefined,
): Record<string, string | null> {
  const keys = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const changed = [...keys].filter((key) => before?.[key] !== after?.[key]);
  return Object.fromEntries(changed.map((key) => [key, before?.[key] ?? null]));
}
