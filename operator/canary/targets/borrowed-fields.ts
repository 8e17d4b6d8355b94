import { BORROWED_ANNOTATION } from '../../../api/borrowed-annotation.ts';
import type { ManagedFields, Target } from '../objects.ts';

/** Under this name the operator applies what it borrows of a target. */
export const FIELD_MANAGER = 'heddle-canary';

export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

export type BorrowedField = 'maxSurge' | 'maxUnavailable' | 'progressDeadlineSeconds' | 'partition';

/** A field that can be borrowed. */
export interface Borrowable {
  readonly path: readonly string[];
  /** What it is when nobody sets it. */
  readonly standard: string | number | boolean;
}

/** What can be borrowed of a kind of targets. */
export interface BorrowableFields {
  readonly fields: Readonly<Partial<Record<BorrowedField, Borrowable>>>;
  /** The field that stops a rollout when it has `value`. It is set whoever owns it, for it is set in distress only. */
  readonly pause: Borrowable & { readonly value: string | number | boolean };
}

/** Which fields of a target the operator may set: those nobody has really set. Absent: its kind has no such field. */
export type Ownership = Readonly<Partial<Record<BorrowedField, boolean>>>;

/** What the operator wants in the fields; absent: the field's own default. */
export type WantedFields = Readonly<Partial<Record<BorrowedField, string | number>>> & { readonly paused?: boolean };

/**
 * Tells which fields may be taken. Clients record the defaulted values as their own even when nobody wrote them, so
 * a field counts as set by the user when it is in kubectl's last-applied annotation, when a server-side apply of
 * another manager names it, or when its value is neither ours nor the default.
 */
export function fieldOwnership(target: Target, { fields }: BorrowableFields): Ownership {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, mayTake(target, field)]));
}

/**
 * Trims a target for its store, in place of the reflector's own trimming: who applied which field must stay.
 * @returns the same object
 */
export function trimTarget<T extends Target>(target: T): T {
  const { metadata } = target;
  if (metadata?.managedFields) metadata.managedFields = metadata.managedFields.filter(isApply);
  return target;
}

/** Whether the operator has applied anything to this target that is still in force. */
export function hasBorrowed(target: Target): boolean {
  return target.metadata?.annotations?.[BORROWED_ANNOTATION] !== undefined || ourEntry(target) !== undefined;
}

/** Whether the target's rollouts are stopped, and by whom. */
export function pausedBy(target: Target, { pause }: BorrowableFields): 'us' | 'user' | undefined {
  if (at(target, pause.path) !== pause.value) return undefined;
  return names(ourEntry(target), pause.path) ? 'us' : 'user';
}

/** Whether somebody applies the field that stops rollouts, with whatever value: each time they do so again, a stop of ours is undone, and nobody has meant that. */
export function isPauseApplied(target: Target, { pause }: BorrowableFields): boolean {
  return isApplied(target, pause.path);
}

/**
 * The whole configuration that the operator applies (server-side, forced). A field that is left out goes back to
 * its default, for the operator alone owns it.
 * @returns undefined when the target is like that already
 */
export function borrowing(target: Target, wanted: WantedFields, kind: BorrowableFields): object | undefined {
  const body: Record<string, unknown> = {};
  const borrowed: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(kind.fields) as [BorrowedField, Borrowable][]) {
    const value = wanted[name];
    if (value === undefined || !mayTake(target, field)) continue;
    put(body, field.path, value);
    borrowed[name] = field.standard;
  }
  if (wanted.paused) {
    const { path, value, standard } = kind.pause;
    put(body, path, value);
    borrowed[path.at(-1) ?? ''] = standard;
  }
  const none = Object.keys(borrowed).length === 0;
  const annotations = none ? {} : { annotations: { [BORROWED_ANNOTATION]: JSON.stringify(borrowed) } };
  if (isInForce(target, { metadata: annotations, ...body })) return undefined;
  const { name, namespace } = target.metadata ?? {};
  return { metadata: { name, namespace, ...annotations }, ...body };
}

export function put(object: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    object[name] = value;
    return;
  }
  const inner = (object[name] ?? {}) as Record<string, unknown>;
  object[name] = inner;
  put(inner, rest, value);
}

/** Equal values that are not ours would be lost when their owner lets go, so ownership counts too. */
function isInForce(target: Target, body: object): boolean {
  const wanted = leaves(body, []);
  const ours = ourEntry(target)?.fieldsV1 ?? {};
  const present = ourLeaves(ours, []);
  if (wanted.length !== present.length) return false;
  return wanted.every(({ path, value }) => {
    const owned = present.some((other) => other.join('\n') === path.join('\n'));
    return owned && at(target, path) === value;
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

function mayTake(target: Target, { path, standard }: Borrowable): boolean {
  if (isApplied(target, path)) return false;
  const ours = ourEntry(target);
  // A StatefulSet's partition that is given back is absent from then on, and stands for the same.
  return (ours !== undefined && names(ours, path)) || (at(target, path) ?? standard) === standard;
}

/** Whether somebody else applies a field, at the server's side or at the client's. */
function isApplied(target: Target, path: readonly string[]): boolean {
  const others = target.metadata?.managedFields?.filter((entry) => entry.manager !== FIELD_MANAGER && isApply(entry));
  return (others ?? []).some((entry) => names(entry, path)) || at(lastApplied(target), path) !== undefined;
}

export function ourEntry(target: Target): ManagedFields | undefined {
  return target.metadata?.managedFields?.find(
    (entry) => entry.manager === FIELD_MANAGER && isApply(entry) && !entry.subresource,
  );
}

function isApply({ operation }: ManagedFields): boolean {
  return operation === 'Apply';
}

export function lastApplied(target: Target): unknown {
  try {
    return JSON.parse(target.metadata?.annotations?.[LAST_APPLIED] ?? '{}');
  } catch {
    return {};
  }
}

export function names(entry: ManagedFields | undefined, path: readonly string[]): boolean {
  const prefixed = path.map((name) => `f:${name}`);
  return at(entry?.fieldsV1, prefixed) !== undefined;
}

export function at(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const name of path) {
    if (typeof inner !== 'object' || inner === null) return undefined;
    inner = (inner as Record<string, unknown>)[name];
  }
  return inner;
}
