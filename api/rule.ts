import type { z } from 'zod';

/** A check over several fields, said twice: in CEL for the API server, and in TypeScript for everybody else. */
export interface Rule<Value> {
  /** CEL expression over `self`; goes into the CRD as an `x-kubernetes-validations` rule. */
  readonly cel: string;
  /** What the value must be, as the user reads it after the field's path. */
  readonly message: string;
  /** The same check as `cel`. */
  readonly holds: (value: Value) => boolean;
}

/**
 * Adds rules to a schema: zod checks them when it parses, and the CRD made from the schema carries them in CEL.
 * @param schema any zod schema; rules given to it earlier are replaced, so give all of them at once
 * @param rules checked in order
 * @returns the schema with the rules
 */
export function withRules<Schema extends z.ZodType>(schema: Schema, rules: readonly Rule<z.output<Schema>>[]): Schema {
  let checked = schema;
  for (const { holds, message } of rules) checked = checked.refine(holds, message);
  return checked.meta({ 'x-kubernetes-validations': rules.map(({ cel, message }) => ({ rule: cel, message })) });
}
