import { z } from 'zod';
import { Findings } from './field-check.ts';
import type { JudgedSpec } from './field-problem.ts';

/** Marks a field for which Istio's CRDs take null: there it means the same as left out, and {@link readSpec} reads it so. */
export const NULLABLE = { nullable: true } as const;

/** What reading a spec gives: the typed spec when its shape is right, and the findings either way. */
export interface SpecReading<Spec> {
  readonly spec: Spec | undefined;
  readonly found: Findings;
}

/**
 * Reads a spec of one of Istio's kinds, from any JSON.
 * A field that is null counts as left out, as in protobuf's JSON. A map with the key `__proto__` is refused, since JavaScript's objects can't
 * be trusted to carry it.
 * @param schema schema of the spec; it checks types and enums
 * @param json the spec as it came
 */
export function readSpec<Spec>(schema: z.ZodType<Spec>, json: unknown): SpecReading<Spec> {
  const found = new Findings();
  const parsed = schema.safeParse(withoutNulls(shapeOf(schema), json ?? {}, [], found));
  if (parsed.success) return { spec: found.errors.length === 0 ? parsed.data : undefined, found };
  for (const issue of parsed.error.issues) found.error(fieldOf(issue.path), sentence(issue));
  return { spec: undefined, found };
}

/**
 * Reads a spec and judges it.
 * @param check reports what the schema can't say
 */
export function judgeSpec<Spec>(
  schema: z.ZodType<Spec>,
  json: unknown,
  check: (found: Findings, spec: Spec) => void,
): JudgedSpec<Spec> {
  const { spec, found } = readSpec(schema, json);
  if (spec !== undefined) check(found, spec);
  const { errors, warnings } = found;
  return { errors, warnings, spec: errors.length === 0 ? spec : undefined };
}

/** The parts of a schema in which nulls are looked for: objects, lists and maps. Everything else has no part here. */
type Shape =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Shape | undefined> }
  | { readonly kind: 'list'; readonly item: Shape | undefined }
  | { readonly kind: 'map'; readonly item: Shape | undefined };

/** Looking into zod's schemas is slow beside reading an object, so each is looked into once. */
const shapes = new WeakMap<z.core.$ZodType, { readonly shape: Shape | undefined }>();

function shapeOf(schema: z.core.$ZodType): Shape | undefined {
  const known = shapes.get(schema) ?? { shape: newShape(schema) };
  shapes.set(schema, known);
  return known.shape;
}

function newShape(schema: z.core.$ZodType): Shape | undefined {
  if (schema instanceof z.ZodOptional) return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return { kind: 'list', item: shapeOf(schema.element) };
  if (schema instanceof z.ZodRecord) return { kind: 'map', item: shapeOf(schema.valueType) };
  if (!(schema instanceof z.ZodObject)) return undefined;
  const fields: [string, z.core.$ZodType][] = Object.entries(schema.shape);
  return { kind: 'object', fields: new Map(fields.map(([name, inner]) => [name, shapeOf(inner)])) };
}

/**
 * Leaves out fields that are null. Follows the schema, so it goes no deeper than that. Keys of maps stay even with null, to be reported.
 * @param path where the value is; the same on return as before
 */
function withoutNulls(shape: Shape | undefined, value: unknown, path: (string | number)[], found: Findings): unknown {
  if (shape === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return shape.kind === 'list' ? value.map((item, index) => inner(shape.item, item, index)) : value;
  if (shape.kind === 'list' || !isObject(value)) return value;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (name === '__proto__') {
      if (shape.kind === 'map') found.error(fieldOf(path), 'must not have the key "__proto__"; leave it out');
    } else if (shape.kind === 'map') {
      kept[name] = inner(shape.item, value[name], name);
    } else if (shape.fields.has(name) && value[name] !== null) {
      kept[name] = inner(shape.fields.get(name), value[name], name);
    }
  }
  return kept;

  function inner(part: Shape | undefined, item: unknown, step: string | number): unknown {
    if (part === undefined) return item;
    path.push(step);
    const result = withoutNulls(part, item, path, found);
    path.pop();
    return result;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldOf(path: readonly PropertyKey[]): string {
  let field = 'spec';
  for (const step of path) {
    const name = String(step);
    field += /^[a-zA-Z_]\w*$/.test(name) ? `.${name}` : `[${name}]`;
  }
  return field;
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type') {
    const expected = issue.expected === 'int' ? 'integer' : issue.expected === 'record' ? 'object' : issue.expected;
    return `must be ${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}${issue.message.includes('received undefined') ? ', and is missing' : ''}`;
  }
  return issue.message;
}
