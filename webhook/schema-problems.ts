import type { ZodError } from 'zod';

/** The issues of a spec's schema as sentences that begin with the field, as the API server writes it. */
export function schemaProblems({ issues }: ZodError): string[] {
  return issues.map(({ path, message }) => `spec${path.map(step).join('')}: ${message}`);
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}
