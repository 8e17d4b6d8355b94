import { z } from 'zod';
import type { FieldProblem } from './field-problem.ts';
import { regexProblem } from './regex.ts';

/** Istio's StringMatch: one of the three. None of them set: the thing must be there, with any value. */
export const stringMatch = z.object({
  exact: z.string().optional().describe('The whole value, letter for letter.'),
  prefix: z.string().optional().describe('What the value begins with.'),
  regex: z.string().optional().describe('RE2 expression that the whole value matches.'),
});

export type StringMatch = z.infer<typeof stringMatch>;

/** Map of names (of headers, of query parameters) to what their value must be. */
export const stringMatches = z.record(z.string(), stringMatch);

/**
 * Judges a StringMatch.
 * @param field its path, as in `spec.http[0].match[0].uri`
 * @param mayBeEmpty whether a match without any of its fields means something here (a header that is just there)
 */
export function stringMatchProblems(match: StringMatch, field: string, mayBeEmpty = false): FieldProblem[] {
  const { exact, prefix, regex } = match;
  const set = [exact, prefix, regex].filter((text) => text !== undefined).length;
  if (set > 1) return [{ field, message: 'must have one of exact, prefix and regex; keep one' }];
  if (set === 0 && !mayBeEmpty) return [{ field, message: 'must have one of exact, prefix and regex; write one' }];
  if (prefix === '') return [{ field: `${field}.prefix`, message: 'must not be empty; leave out the match instead' }];
  if (regex === undefined) return [];
  const problem = regexProblem(regex);
  return problem === undefined ? [] : [{ field: `${field}.regex`, message: problem }];
}
