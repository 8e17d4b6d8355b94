import { createHash } from 'node:crypto';

/** A short text that is equal for equal texts, and, but for chance, only for those. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
