import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys whose value is a map of names to schemas, not a schema. */
const MAPS = new Set(['properties']);
/** Keys whose value is data and not a schema. */
const DATA = new Set(['default', 'enum', 'required', 'x-kubernetes-validations', 'x-kubernetes-list-map-keys']);

/**
 * Translates a zod schema into a structural OpenAPI v3 schema as CustomResourceDefinitions take it.
 * Defaults, descriptions and `x-kubernetes-*` metadata are kept; objects stay closed (the API server prunes or, under
 * strict validation, refuses unknown fields) unless the zod object is loose.
 * @throws {Error} when zod cannot express the schema in JSON Schema
 */
export function structuralSchema(schema: z.ZodType): JsonSchema {
  return structural(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' }));
}

function structural(node: JsonSchema): JsonSchema {
  const out: JsonSchema = {};
  for (const [key, value] of Object.entries(node).sort(([a], [b]) => order(a) - order(b) || a.localeCompare(b))) {
    if (key === '$schema' || isBoundOfSafeIntegers(key, value)) continue;
    if (key === 'additionalProperties' && isObject(value) && Object.keys(value).length === 0) {
      out['x-kubernetes-preserve-unknown-fields'] = true;
    } else if (DATA.has(key)) {
      out[key] = value;
    } else if (MAPS.has(key) && isObject(value)) {
      out[key] = Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, child(schema)]));
    } else {
      out[key] = Array.isArray(value) ? value.map(child) : child(value);
    }
  }
  if (out.type === 'integer' && node.format === undefined) out.format = 'int64';
  return out['x-kubernetes-int-or-string'] === true ? intOrString(out) : out;
}

const child = (value: unknown): unknown => (isObject(value) ? structural(value) : value);

/** The one form of `anyOf` with types in it that a structural schema may have. */
function intOrString(schema: JsonSchema): JsonSchema {
  return { ...schema, anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

/** zod bounds every `z.int()` by what a double holds exactly; `format: int64` says enough. */
function isBoundOfSafeIntegers(key: string, value: unknown): boolean {
  return (key === 'minimum' || key === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

/** Puts what people read first to the top. */
function order(key: string): number {
  const place = ['description', 'type', 'format', 'default', 'required'].indexOf(key);
  return place === -1 ? 9 : place;
}
