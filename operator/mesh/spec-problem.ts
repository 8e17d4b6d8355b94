import type { FieldProblem } from '../../api/field-problem.ts';
import type { ObjectRef } from './object-ref.ts';
import type { Problem } from './snapshot.ts';

/** More are not told at once: a condition is to be read. */
const MAX_TOLD = 20;

/**
 * What a user hears of a spec that can't be right, and so is not in force at all.
 * @param errors those of its judgement
 * @returns one problem that names every field, or none without errors
 */
export function invalidSpec(ref: ObjectRef, errors: readonly FieldProblem[]): Problem[] {
  if (errors.length === 0) return [];
  const message = invalidText(errors, `The ${ref.kind} is not in force.`);
  return [{ object: ref, condition: 'Accepted', reason: 'Invalid', message }];
}

/** What is wrong with a spec, and what comes of it. */
export function invalidText(errors: readonly FieldProblem[], consequence: string): string {
  const told = errors.slice(0, MAX_TOLD).map(({ field, message }) => `${field}: ${message}`);
  const rest = errors.length > MAX_TOLD ? [`and ${errors.length - MAX_TOLD} more`] : [];
  return `${[...told, ...rest].join('; ')}. ${consequence}`;
}

/** Notes on fields that Heddle does not put in force; their messages begin with the verb. */
export function unsupportedNotes(fields: readonly FieldProblem[]): string[] {
  return fields.map(({ field, message }) => `${field} ${message}.`);
}
