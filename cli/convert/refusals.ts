import type { ZodType } from 'zod';
import type { Notes } from './notes.ts';

/** Says what of a spec as it was made the API server will refuse, where nothing was said of that field yet. */
export function noteRefusals(schema: ZodType, spec: unknown, notes: Notes): void {
  for (const { path, message } of schema.safeParse(spec).error?.issues ?? []) {
    const field = `spec${path.map(step).join('')}`;
    if (!notes.mentions(field)) notes.add(field, `will be refused: ${message}`);
  }
}

function step(key: PropertyKey): string {
  return typeof key === 'number' ? `[${key}]` : `.${String(key)}`;
}
