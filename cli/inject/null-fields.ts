import type { V1Container, V1Pod } from '@kubernetes/client-node';

type Json = Readonly<Record<string, unknown>>;

/** A template without fields that are null, which to Kubernetes are absent: of its metadata, its spec and its containers. */
export function withoutNulls(template: unknown): unknown {
  return mapTemplate(template, (part) =>
    Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null)),
  );
}

/** Puts fields back that were null and that nobody gave a value since. */
export function withNulls(pod: V1Pod, written: V1Pod): V1Pod {
  const nulls = (of: object | undefined | null): Json =>
    Object.fromEntries(Object.entries(of ?? {}).filter(([, value]) => value === null));
  const every = [...(written.spec?.initContainers ?? []), ...(written.spec?.containers ?? [])];
  const wrote = new Map(every.map((container) => [container.name, container]));
  const fill = (container: V1Container): V1Container => ({ ...nulls(wrote.get(container.name)), ...container });
  const spec = { ...nulls(written.spec), ...pod.spec, containers: (pod.spec?.containers ?? []).map(fill) };
  if (spec.initContainers) spec.initContainers = spec.initContainers.map(fill);
  return { ...pod, metadata: { ...nulls(written.metadata), ...pod.metadata }, spec };
}

function mapTemplate(template: unknown, change: (part: Json) => Json): unknown {
  if (!isObject(template)) return template;
  const result: Record<string, unknown> = { ...change(template) };
  if (isObject(result.metadata)) result.metadata = change(result.metadata);
  if (!isObject(result.spec)) return result;
  const spec: Record<string, unknown> = { ...change(result.spec) };
  for (const key of ['initContainers', 'containers']) {
    const list = spec[key];
    if (Array.isArray(list)) spec[key] = list.map((each: unknown) => (isObject(each) ? change(each) : each));
  }
  result.spec = spec;
  return result;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
