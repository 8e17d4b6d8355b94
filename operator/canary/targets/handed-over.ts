import type { ManagedFields, Target } from '../objects.ts';
import { at, type BorrowableFields, LAST_APPLIED, lastApplied, names, ourEntry, put } from './borrowed-fields.ts';

type Path = readonly string[];

/**
 * The fields that the operator is about to give back although a client-side apply wants them to be as they are. Such an apply sends only what differs, so
 * that the value which was borrowed already is not recorded as its own, and would be lost with our letting go.
 * @param body what the operator is about to apply
 */
export function wantedAsTheyAre(target: Target, body: object, { fields, pause }: BorrowableFields): readonly Path[] {
  const applied = lastApplied(target);
  return [...Object.values(fields), pause]
    .map(({ path }) => path)
    .filter((path) => {
      const value = at(applied, path);
      const isOurs = names(ourEntry(target), path);
      return isOurs && at(body, path) === undefined && value !== undefined && value === at(target, path);
    });
}

/**
 * A merge patch that makes fields the client's whose apply wants them, beside being ours; the object stays as it is otherwise.
 * @param target as the API server has it, with all its managed fields
 * @returns undefined when that client is not known
 */
export function handingOver(target: Target, paths: readonly Path[]): object | undefined {
  const { resourceVersion, managedFields = [] } = target.metadata ?? {};
  const isClient = (entry: ManagedFields): boolean =>
    entry.operation === 'Update' && !entry.subresource && names(entry, ['metadata', 'annotations', LAST_APPLIED]);
  const client = managedFields.find(isClient);
  if (!client) return undefined;
  const fieldsV1 = structuredClone(client.fieldsV1 ?? {});
  const marked = (path: Path): Path => path.map((name) => `f:${name}`);
  for (const path of paths) put(fieldsV1, marked(path), {});
  const handed = managedFields.map((entry) => (entry === client ? { ...entry, fieldsV1 } : entry));
  return { metadata: { resourceVersion, managedFields: handed } };
}
