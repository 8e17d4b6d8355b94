import { z } from 'zod';
import type { SpecJudgement } from '../../../api/field-problem.ts';
import type { Draw } from './draw.ts';
import { FIELD_VALUES, KEYS, NUMBERS, TEXTS } from './spec-values.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** How many times what is wrong with a spec is taken out of it: what is left may be wrong in another way. */
const REPAIRS = 40;
const GARBAGE = [null, true, -1, 1e300, '', '__proto__', [], [null], {}, { a: [{}] }, 'x'.repeat(70_000)];

/**
 * Draws specs from the schema of their kind, with every field that it has: of the right shape, with values that are often right, and as often as
 * not wrong.
 */
export class SpecSource {
  private readonly schema: JsonSchema;

  constructor(schema: z.ZodType) {
    this.schema = z.toJSONSchema(schema, { io: 'input', reused: 'inline', unrepresentable: 'any' });
  }

  any(draw: Draw): unknown {
    return drawValue(draw, this.schema, '', 0);
  }

  /** One without what is wrong with it, as far as taking it out helps. */
  valid(draw: Draw, judge: (spec: unknown) => SpecJudgement): unknown {
    return repaired(this.any(draw), judge);
  }

  /** One with something of any shape somewhere in it. */
  broken(draw: Draw): unknown {
    return replaced(this.any(draw), draw.one(GARBAGE), { left: draw.below(40) });
  }
}

/** @param field name of the nearest property, by which values are chosen */
function drawValue(draw: Draw, schema: JsonSchema, field: string, depth: number): unknown {
  if (schema.enum !== undefined) return draw.one(schema.enum);
  const either = schema.anyOf ?? schema.oneOf;
  // Of the schemas that zod gives none is a mere boolean.
  if (either !== undefined) return drawValue(draw, draw.one(either) as JsonSchema, field, depth);
  switch (schema.type) {
    case 'object':
      return drawObject(draw, schema, field, depth);
    case 'array':
      return draw.list(1, depth > 1 ? 2 : 4, () => drawValue(draw, schema.items as JsonSchema, field, depth + 1));
    case 'boolean':
      return draw.once(2);
    case 'integer':
    case 'number':
      return draw.one(NUMBERS.get(field) ?? [0, 1, 2, 5, 100, -1, 2_147_483_647]);
    default:
      return draw.one(draw.once(12) ? TEXTS : (FIELD_VALUES.get(field) ?? TEXTS));
  }
}

function drawObject(draw: Draw, schema: JsonSchema, field: string, depth: number): unknown {
  const values = schema.additionalProperties;
  if (schema.properties === undefined && typeof values === 'object') {
    const keys = KEYS.get(field) ?? KEYS.get('') ?? [];
    // `__proto__` is a key like any other here.
    return Object.fromEntries(
      draw.list(0, 3, () => [draw.one(keys), drawValue(draw, values as JsonSchema, `${field}{}`, depth + 1)]),
    );
  }
  const required = new Set([...(schema.required ?? []), ...ALWAYS]);
  const names = Object.keys(schema.properties ?? {}).filter(
    (name) => required.has(name) || !draw.once(depth === 0 ? 3 : 2),
  );
  const left = CHOICES.reduce((rest, choice) => keepOne(draw, rest, choice), names);
  return Object.fromEntries(
    left.map((name) => {
      const own = `${field}.${name}`;
      const inner = schema.properties?.[name] as JsonSchema;
      return [name, drawValue(draw, inner, FIELD_VALUES.has(own) ? own : name, depth + 1)];
    }),
  );
}

/** Of the fields of a choice one stays; at times all do. */
function keepOne(draw: Draw, names: readonly string[], choice: readonly string[]): readonly string[] {
  const there = names.filter((name) => choice.includes(name));
  if (there.length < 2 || draw.once(20)) return names;
  const kept = draw.one(there);
  return names.filter((name) => name === kept || !choice.includes(name));
}

/** Fields of which an object may have one. */
const CHOICES: readonly (readonly string[])[] = [
  ['exact', 'prefix', 'regex'],
  ['route', 'redirect', 'directResponse', 'delegate'],
  ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'],
  ['simple', 'consistentHash'],
  ['ringHash', 'maglev', 'minimumRingSize'],
  ['distribute', 'failover'],
  ['httpStatus', 'grpcStatus', 'http2Error'],
  ['uriRegexRewrite', 'uri'],
  ['mirror', 'mirrors'],
  ['string', 'bytes'],
  ['port', 'derivePort'],
  ['warmup', 'warmupDurationSecs'],
  ['endpoints', 'workloadSelector'],
  ['selector', 'targetRef', 'targetRefs'],
  ['serviceAccounts', 'principals', 'namespaces'],
];

/** Optional fields without which nothing else of their object counts. */
const ALWAYS = new Set(['host', 'hosts', 'destination', 'number', 'address', 'ports']);

function repaired(spec: unknown, judge: (spec: unknown) => SpecJudgement): unknown {
  const rest = structuredClone(spec);
  const tries = new Map<string, number>();
  for (let round = 0; round < REPAIRS; round++) {
    const { errors } = judge(rest);
    if (errors.length === 0) break;
    for (const { field } of errors) {
      const count = tries.get(field) ?? 0;
      tries.set(field, count + 1);
      // Where taking the field out does not help, what it stands in goes.
      takeOut(rest, field, Math.floor(count / 2));
    }
  }
  return rest;
}

/**
 * Takes a field out, as errors name it.
 * @param above take out, instead of it, what it stands in, so many levels up
 */
function takeOut(spec: unknown, field: string, above: number): void {
  const path = [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, name]) => index ?? name ?? '').slice(1);
  const up = Math.min(above, path.length - 1);
  const last = path[path.length - 1 - up];
  let holder = spec;
  for (const step of path.slice(0, path.length - 1 - up)) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, step)) return;
    holder = Object.getOwnPropertyDescriptor(holder, step)?.value;
  }
  if (last === undefined || typeof holder !== 'object' || holder === null) return;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else Reflect.deleteProperty(holder, last);
}

/** The value with its n-th part replaced. */
function replaced(value: unknown, junk: unknown, count: { left: number }): unknown {
  if (count.left-- === 0) return junk;
  if (Array.isArray(value)) return value.map((item) => replaced(item, junk, count));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, junk, count)]));
}
