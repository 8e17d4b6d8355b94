import type { FieldProblem } from '../../api/field-problem.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Problem } from './snapshot.ts';

/** More are not told at once: a condition is to be read. */
const MAX_TOLD = 20;

/**
 * What a user hears of a spec that can't be right, and so is not in force at all.
 * @param errors those of its judgement
 * @param consequence a sentence
 * @returns one problem that names every field, or none without errors
 */
export function invalidSpec(
  ref: ObjectRef,
  errors: readonly FieldProblem[],
  consequence = `The ${ref.kind} is not in force.`,
): Problem[] {
  if (errors.length === 0) return [];
  const told = errors.slice(0, MAX_TOLD).map(({ field, message }) => `${field}: ${message}`);
  const rest = errors.length > MAX_TOLD ? [`and ${errors.length - MAX_TOLD} more`] : [];
  const message = `${[...told, ...rest].join('; ')}. ${consequence}`;
  return [{ object: ref, condition: 'Accepted', reason: 'Invalid', message }];
}

/** Notes on fields that Heddle does not put in force; their messages begin with the verb. */
export function unsupportedNotes(fields: readonly FieldProblem[]): string[] {
  return fields.map(({ field, message }) => `${field} ${message}.`);
}
