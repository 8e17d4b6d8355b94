import type { ManifestObject } from './manifest-object.ts';

/** A schema of OpenAPI, as far as it lets fields through. */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}

interface Version {
  readonly name: string;
  readonly served?: boolean;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
}

const versionsOf = (definition: ManifestObject): readonly Version[] =>
  (definition.spec as { versions?: readonly Version[] } | undefined)?.versions ?? [];

/**
 * Tells whether a definition in a cluster knows more than ours, so that ours in its place would lose fields of users' objects.
 * @returns the first version or field that ours lacks; undefined when there is none
 */
export function narrowedBy(present: ManifestObject, ours: ManifestObject): string | undefined {
  for (const { name, served, schema } of versionsOf(present)) {
    const own = versionsOf(ours).find((version) => version.name === name);
    if (!own) {
      if (served !== false) return `version ${name}`;
      continue;
    }
    const missing = narrowedSchema(schema?.openAPIV3Schema, own.schema?.openAPIV3Schema, []);
    if (missing !== undefined) return `${name} ${missing}`;
  }
  return undefined;
}

function narrowedSchema(
  present: Schema | undefined,
  ours: Schema | undefined,
  at: readonly string[],
): string | undefined {
  if (!present || ours?.['x-kubernetes-preserve-unknown-fields'] === true) return undefined;
  if (!ours) return at.join('.');
  if (present['x-kubernetes-preserve-unknown-fields'] === true) return `${at.join('.')} (any field)`;
  if (ours.enum && !present.enum) return `${at.join('.')} (any value)`;
  const value = ours.enum && present.enum?.find((one) => !ours.enum?.includes(one));
  if (value !== undefined) return `${at.join('.')} ${JSON.stringify(value)}`;
  for (const [key, schema] of Object.entries(present.properties ?? {})) {
    // Every object has them.
    if (at.length === 0 && ['apiVersion', 'kind', 'metadata'].includes(key)) continue;
    const any = typeof ours.additionalProperties === 'object' ? ours.additionalProperties : undefined;
    const missing = narrowedSchema(schema, ours.properties?.[key] ?? any, [...at, key]);
    if (missing !== undefined) return missing;
  }
  const items = narrowedSchema(present.items, ours.items, [...at.slice(0, -1), `${at.at(-1) ?? ''}[]`]);
  if (items !== undefined) return items;
  return typeof present.additionalProperties === 'object' && typeof ours.additionalProperties === 'object'
    ? narrowedSchema(present.additionalProperties, ours.additionalProperties, [...at, '*'])
    : undefined;
}

/** What is to be done about one of Istio's definitions. */
export type DefinitionPlan = { readonly apply: true } | { readonly apply: false; readonly reason: string };

/** Ours goes where there is none, or an older one of ours; never in the place of one that is somebody else's, or that knows more. */
export function planDefinition(present: ManifestObject | undefined, ours: ManifestObject): DefinitionPlan {
  if (!present) return { apply: true };
  const labels = present.metadata.labels ?? {};
  if (
    labels['app.kubernetes.io/part-of'] !== 'heddle' ||
    labels.app === 'istio-pilot' ||
    labels.release !== undefined
  ) {
    return { apply: false, reason: "it is there already, and not Heddle's" };
  }
  const more = narrowedBy(present, ours);
  return more === undefined ? { apply: true } : { apply: false, reason: `the one that is there knows more: ${more}` };
}

/** Whether a definition in a cluster has all that ours says; the API server adds fields, and takes none away. */
export function includes(present: unknown, ours: unknown): boolean {
  if (Array.isArray(ours)) {
    return Array.isArray(present) && ours.every((item, index) => includes(present[index], item));
  }
  if (typeof ours !== 'object' || ours === null) return present === ours;
  if (typeof present !== 'object' || present === null) return false;
  return Object.entries(ours).every(([key, value]) => includes((present as Record<string, unknown>)[key], value));
}
