import type { Deployment, ManagedFields } from './objects.ts';

/** Under this name the operator applies what it borrows of a Deployment. */
export const FIELD_MANAGER = 'heddle-canary';
/** Annotation with the values that borrowed fields had before, as JSON. */
export const BORROWED_ANNOTATION = 'canary.heddle.dev/borrowed';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const FIELDS = {
  maxSurge: { path: ['spec', 'strategy', 'rollingUpdate', 'maxSurge'], standard: '25%' },
  maxUnavailable: { path: ['spec', 'strategy', 'rollingUpdate', 'maxUnavailable'], standard: '25%' },
  progressDeadlineSeconds: { path: ['spec', 'progressDeadlineSeconds'], standard: 600 },
} as const;

export type BorrowedField = keyof typeof FIELDS;

/** Which fields of a Deployment the operator may set: those nobody has really set. */
export type Ownership = Readonly<Record<BorrowedField, boolean>>;

/** What the operator wants in the fields; absent: the field's own default. */
export interface WantedFields {
  readonly maxSurge?: string;
  readonly maxUnavailable?: number;
  readonly progressDeadlineSeconds?: number;
  readonly paused?: boolean;
}

/**
 * Tells which fields may be taken. Clients record the defaulted values as their own even when nobody wrote them, so
 * a field counts as set by the user when it is in kubectl's last-applied annotation, when a server-side apply of
 * another manager names it, or when its value is neither ours nor the default.
 */
export function fieldOwnership(deployment: Deployment): Ownership {
  return {
    maxSurge: mayTake(deployment, 'maxSurge'),
    maxUnavailable: mayTake(deployment, 'maxUnavailable'),
    progressDeadlineSeconds: mayTake(deployment, 'progressDeadlineSeconds'),
  };
}

/**
 * Trims a Deployment for its store, in place of the reflector's own trimming: who applied which field must stay.
 * @returns the same object
 */
export function trimDeployment<T extends Deployment>(deployment: T): T {
  const { metadata } = deployment;
  if (metadata?.managedFields) metadata.managedFields = metadata.managedFields.filter(isApply);
  return deployment;
}

/** Whether the operator has applied anything to this Deployment that is still in force. */
export function hasBorrowed(deployment: Deployment): boolean {
  return deployment.metadata?.annotations?.[BORROWED_ANNOTATION] !== undefined || ourEntry(deployment) !== undefined;
}

/** Whether the Deployment is paused, and by whom. */
export function pausedBy(deployment: Deployment): 'us' | 'user' | undefined {
  if (deployment.spec?.paused !== true) return undefined;
  return ourEntry(deployment) && names(ourEntry(deployment), ['spec', 'paused']) ? 'us' : 'user';
}

/**
 * The whole configuration that the operator applies (server-side, forced). A field that is left out goes back to
 * its default, for the operator alone owns it.
 * @returns undefined when the Deployment is like that already
 */
export function borrowing(deployment: Deployment, wanted: WantedFields): object | undefined {
  const owned = fieldOwnership(deployment);
  const { maxSurge, maxUnavailable, progressDeadlineSeconds, paused } = wanted;
  const rollingUpdate = {
    ...(owned.maxSurge && maxSurge !== undefined ? { maxSurge } : {}),
    ...(owned.maxUnavailable && maxUnavailable !== undefined ? { maxUnavailable } : {}),
  };
  const spec = {
    ...(Object.keys(rollingUpdate).length > 0 ? { strategy: { rollingUpdate } } : {}),
    ...(owned.progressDeadlineSeconds && progressDeadlineSeconds !== undefined ? { progressDeadlineSeconds } : {}),
    ...(paused ? { paused } : {}),
  };
  const annotations = annotationsFor(spec, rollingUpdate);
  if (isInForce(deployment, { metadata: { annotations }, spec })) return undefined;
  const { name, namespace } = deployment.metadata ?? {};
  return { metadata: { name, namespace, ...(annotations ? { annotations } : {}) }, ...hasAny(spec) };
}

function annotationsFor(spec: object, rollingUpdate: object): Record<string, string> | undefined {
  if (Object.keys(spec).length === 0) return undefined;
  const borrowed: Record<string, unknown> = {};
  for (const [field, { standard }] of Object.entries(FIELDS)) {
    if (field in rollingUpdate || field in spec) borrowed[field] = standard;
  }
  if ('paused' in spec) borrowed.paused = false;
  return { [BORROWED_ANNOTATION]: JSON.stringify(borrowed) };
}

function hasAny(spec: object): { spec?: object } {
  return Object.keys(spec).length > 0 ? { spec } : {};
}

/** Equal values that are not ours would be lost when their owner lets go, so ownership counts too. */
function isInForce(deployment: Deployment, { metadata, spec }: { metadata: object; spec: object }): boolean {
  const wanted = leaves({ metadata, spec }, []);
  const ours = ourEntry(deployment)?.fieldsV1 ?? {};
  const present = ourLeaves(ours, []);
  if (wanted.length !== present.length) return false;
  return wanted.every(({ path, value }) => {
    const owned = present.some((other) => other.join('\n') === path.join('\n'));
    return owned && at(deployment, path) === value;
  });
}

function leaves(value: unknown, path: readonly string[]): { path: readonly string[]; value: unknown }[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

function ourLeaves(fields: Record<string, unknown>, path: readonly string[]): (readonly string[])[] {
  const inner = Object.entries(fields).filter(([name]) => name.startsWith('f:'));
  if (inner.length === 0) return path.length > 0 ? [path] : [];
  return inner.flatMap(([name, value]) =>
    ourLeaves((value ?? {}) as Record<string, unknown>, [...path, name.slice(2)]),
  );
}

function mayTake(deployment: Deployment, field: BorrowedField): boolean {
  const { path, standard } = FIELDS[field];
  const managers = deployment.metadata?.managedFields ?? [];
  if (managers.some((entry) => entry.manager !== FIELD_MANAGER && entry.operation === 'Apply' && names(entry, path))) {
    return false;
  }
  if (at(lastApplied(deployment), path) !== undefined) return false;
  const ours = ourEntry(deployment);
  return (ours !== undefined && names(ours, path)) || at(deployment, path) === standard;
}

function ourEntry(deployment: Deployment): ManagedFields | undefined {
  return deployment.metadata?.managedFields?.find(
    (entry) => entry.manager === FIELD_MANAGER && isApply(entry) && !entry.subresource,
  );
}

function isApply({ operation }: ManagedFields): boolean {
  return operation === 'Apply';
}

function lastApplied(deployment: Deployment): unknown {
  try {
    return JSON.parse(deployment.metadata?.annotations?.[LAST_APPLIED] ?? '{}');
  } catch {
    return {};
  }
}

function names(entry: ManagedFields | undefined, path: readonly string[]): boolean {
  const prefixed = path.map((name) => `f:${name}`);
  return at(entry?.fieldsV1, prefixed) !== undefined;
}

function at(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Record<string, unknown>)[name];
  }
  return inner;
}
