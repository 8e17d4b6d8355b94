import type { z } from 'zod';
import { QueryError } from './provider.ts';

/** An answer as it must be. @throws {QueryError} naming the field that is not as the API has it */
export function shaped<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new QueryError(
    'AnswerUnreadable',
    `the answer is not that of this API: ${issue?.path.join('.') || 'it'}: ${issue?.message}`,
  );
}
