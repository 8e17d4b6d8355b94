/** A YAML object of any kind, as far as is looked at here. */
export interface AnyObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly generateName?: string; readonly namespace?: string } | null;
  readonly items?: unknown;
}

/** Where in an object its pod, or template of pods, stands. */
export interface TemplatePlace {
  readonly object: AnyObject;
  /** From the top of the document, for example `['items', 0, 'spec', 'template']`. */
  readonly path: readonly (string | number)[];
}

/** Kinds that make pods, and where each has its template. */
const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map([
  ['v1/Pod', []],
  ['v1/ReplicationController', ['spec', 'template']],
  ['apps/v1/Deployment', ['spec', 'template']],
  ['apps/v1/StatefulSet', ['spec', 'template']],
  ['apps/v1/DaemonSet', ['spec', 'template']],
  ['apps/v1/ReplicaSet', ['spec', 'template']],
  ['batch/v1/Job', ['spec', 'template']],
  ['batch/v1/CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
]);

/**
 * Finds all pods and templates of pods in a document, also those in Lists.
 * @param value a parsed YAML document; anything else than objects has none
 */
export function findTemplates(value: unknown, at: readonly (string | number)[] = []): TemplatePlace[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const object = value as AnyObject;
  if (typeof object.kind === 'string' && object.kind.endsWith('List') && Array.isArray(object.items)) {
    return object.items.flatMap((item, index) => findTemplates(item, [...at, 'items', index]));
  }
  const path = TEMPLATES.get(`${object.apiVersion}/${object.kind}`);
  return path === undefined ? [] : [{ object, path: [...at, ...path] }];
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

/** `Deployment shop/ui`, for people. */
export function objectTitle({ kind, metadata }: AnyObject): string {
  const name = metadata?.name ?? (metadata?.generateName ? `${metadata.generateName}*` : '(unnamed)');
  return `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ''}${name}`;
}
