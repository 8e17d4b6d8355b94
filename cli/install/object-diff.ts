import { stringify } from 'yaml';
import { diff, pointerKeys } from '../../webhook/inject/patch.ts';
import { paint } from '../terminal/colour.ts';

type Json = Record<string, unknown>;

/** What the API server writes down itself, which says nothing of what a user gets. */
const SERVER_FIELDS = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp'];
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The changes from one state of an object to another, a line or more for each field.
 * @returns nothing when they are equal but for what the server writes itself
 */
export function describeChanges(before: object, after: object): string[] {
  const [from, to] = [comparable(before), comparable(after)];
  return diff(from, to).flatMap((operation) => {
    const { path, was } = locate(from, operation.path);
    if (operation.op === 'remove') return changeLines(path, was, undefined);
    return changeLines(path, operation.op === 'add' ? undefined : was, operation.value);
  });
}

function comparable(object: object): Json {
  const { status: _, ...rest } = structuredClone(object) as { status?: unknown } & Json;
  const metadata = (rest.metadata ?? {}) as Json;
  for (const field of SERVER_FIELDS) delete metadata[field];
  const annotations = metadata.annotations as Json | undefined;
  if (annotations) delete annotations[LAST_APPLIED];
  if (annotations && Object.keys(annotations).length === 0) delete metadata.annotations;
  return rest;
}

/** A JSON pointer in words, elements of lists by their name where they have one, and what stands there. */
function locate(object: unknown, pointer: string): { readonly path: string; readonly was: unknown } {
  let at = object;
  let path = '';
  for (const key of pointerKeys(pointer)) {
    if (Array.isArray(at)) {
      at = at[Number(key)] as unknown;
      path += `[${(at as { name?: string } | undefined)?.name ?? key}]`;
    } else {
      at = (at as Json | undefined)?.[key];
      path += /^[A-Za-z0-9_-]+$/.test(key) ? `${path && '.'}${key}` : `[${key}]`;
    }
  }
  return { path, was: at };
}

function changeLines(path: string, was: unknown, is: unknown): string[] {
  const [from, to] = [textOf(was), textOf(is)];
  if (from.length <= 1 && to.length <= 1) {
    const [left, right] = [from[0] ?? '(none)', to[0] ?? '(none)'];
    return [`${path}: ${paint('red', left)} → ${paint('green', right)}`];
  }
  return [`${path}:`, ...lineChanges(from, to)];
}

function textOf(value: unknown): string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return value.replace(/\n$/, '').split('\n');
  return stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
}

/** Lines that went and that came, with none of those around them that stayed. */
function lineChanges(from: readonly string[], to: readonly string[]): string[] {
  const kept = commonLines(from, to);
  const changes: string[] = [];
  let [left, right] = [0, 0];
  for (const [atLeft, atRight] of [...kept, [from.length, to.length] as const]) {
    for (; left < atLeft; left++) changes.push(paint('red', `  - ${from[left]}`));
    for (; right < atRight; right++) changes.push(paint('green', `  + ${to[right]}`));
    [left, right] = [atLeft + 1, atRight + 1];
  }
  return changes;
}

/** The longest common subsequence, as pairs of indexes; texts here have some hundred lines. */
function commonLines(from: readonly string[], to: readonly string[]): (readonly [number, number])[] {
  const width = to.length + 1;
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      const at = i * width + j;
      const next = lengths[at + width + 1] ?? 0;
      lengths[at] = from[i] === to[j] ? next + 1 : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < from.length && j < to.length; ) {
    if (from[i] === to[j]) pairs.push([i++, j++]);
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i++;
    else j++;
  }
  return pairs;
}
