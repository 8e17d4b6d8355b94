import { isDeepStrictEqual } from 'node:util';

/** One operation of RFC 6902. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

type Json = Record<string, unknown>;

/**
 * A JSON patch (RFC 6902) that turns one JSON document into another. Lists whose elements were only changed in place or joined by new
 * ones are patched element by element, matched by `name` where they have one; any other list is replaced whole.
 */
export function diff(before: unknown, after: unknown, path = ''): PatchOperation[] {
  if (before === after) return [];
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, path);
  if (isObject(before) && isObject(after)) return diffObjects(before, after, path);
  return [{ op: 'replace', path, value: after }];
}

function diffObjects(before: Json, after: Json, path: string): PatchOperation[] {
  const operations: PatchOperation[] = [];
  for (const key of Object.keys(before)) {
    if (!has(after, key)) operations.push({ op: 'remove', path: `${path}/${escapeKey(key)}` });
  }
  for (const key of Object.keys(after)) {
    // Most is as it was.
    if (!has(after, key) || before[key] === after[key]) continue;
    const at = `${path}/${escapeKey(key)}`;
    if (has(before, key)) operations.push(...diff(before[key], after[key], at));
    else operations.push({ op: 'add', path: at, value: after[key] });
  }
  return operations;
}

/** JSON has no undefined: such a field counts as absent. */
function has(object: Json, key: string): boolean {
  return Object.hasOwn(object, key) && object[key] !== undefined;
}

function diffLists(before: readonly unknown[], after: readonly unknown[], path: string): PatchOperation[] {
  const operations: PatchOperation[] = [];
  let next = 0;
  for (const [index, value] of after.entries()) {
    if (next < before.length && isSame(before[next], value)) {
      operations.push(...diff(before[next], value, `${path}/${index}`));
      next++;
    } else operations.push({ op: 'add', path: `${path}/${index}`, value });
  }
  // Something of before is gone or moved.
  if (next < before.length) return [{ op: 'replace', path, value: after }];
  return operations;
}

/** Whether an element is the same one, perhaps changed. */
function isSame(before: unknown, after: unknown): boolean {
  if (isObject(before) && isObject(after) && before.name !== undefined) return before.name === after.name;
  return isDeepStrictEqual(before, after);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The keys that a JSON pointer (RFC 6901) leads by; none for the whole document. */
export function pointerKeys(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function escapeKey(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
