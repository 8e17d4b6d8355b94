import { z } from 'zod';
import { Findings } from './field-check.ts';

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
  const parsed = schema.safeParse(withoutNulls(schema, json ?? {}, 'spec', found));
  if (parsed.success) return { spec: found.errors.length === 0 ? parsed.data : undefined, found };
  for (const issue of parsed.error.issues) found.error(fieldOf(issue.path), sentence(issue));
  return { spec: undefined, found };
}

/** Walks value and schema together, so its depth is the schema's. Keys of maps stay even with null, to be reported. */
function withoutNulls(schema: z.core.$ZodType, value: unknown, field: string, found: Findings): unknown {
  if (schema instanceof z.ZodOptional) return withoutNulls(schema.unwrap(), value, field, found);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item, index) => withoutNulls(schema.element, item, `${field}[${index}]`, found));
  }
  if (!isObject(value)) return value;
  if (schema instanceof z.ZodRecord) {
    if (Object.hasOwn(value, '__proto__')) found.error(field, 'must not have the key "__proto__"; leave it out');
    const entries = Object.entries(value).filter(([key]) => key !== '__proto__');
    return Object.fromEntries(
      entries.map(([key, item]) => [key, withoutNulls(schema.valueType, item, `${field}[${key}]`, found)]),
    );
  }
  if (!(schema instanceof z.ZodObject)) return value;
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  const kept: [string, unknown][] = [];
  for (const [name, inner] of Object.entries(shape)) {
    if (!Object.hasOwn(value, name) || value[name] === null || value[name] === undefined) continue;
    kept.push([name, withoutNulls(inner, value[name], `${field}.${name}`, found)]);
  }
  return Object.fromEntries(kept);
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
