import { alertProviderSpec } from '../api/alert-provider.ts';
import { schemaProblems } from './schema-problems.ts';

/**
 * What is wrong with an AlertProvider's spec.
 * @returns one sentence per problem, beginning with the field
 */
export function validateAlertProvider(spec: unknown): string[] {
  const result = alertProviderSpec.safeParse(spec ?? {});
  return result.success ? [] : schemaProblems(result.error);
}
