import { type PatchOperation, pointerKeys } from '../../webhook/inject/patch.ts';

type Holder = Record<string | number, unknown>;

/**
 * The operations that undo others, to be applied in their order. Where injection added elements of a list, this takes these out one by one, and what
 * stands beside them keeps its comments.
 * @param before the document that the operations were made for; it is not changed
 */
export function invertPatch(before: unknown, operations: readonly PatchOperation[]): PatchOperation[] {
  const state = { top: structuredClone(before) };
  const inverse: PatchOperation[] = [];
  for (const operation of operations) {
    const { path } = operation;
    const keys = ['top', ...pointerKeys(path)];
    const key = keys.pop() as string;
    const holder = keys.reduce<Holder>((at, part) => at[part] as Holder, state);
    const was = holder[key];
    if (operation.op === 'add') {
      if (Array.isArray(holder)) holder.splice(Number(key), 0, operation.value);
      else holder[key] = operation.value;
      inverse.unshift({ op: 'remove', path });
    } else if (operation.op === 'replace') {
      holder[key] = operation.value;
      inverse.unshift({ op: 'replace', path, value: was });
    } else {
      delete holder[key];
      inverse.unshift({ op: 'add', path, value: was });
    }
  }
  return inverse;
}
