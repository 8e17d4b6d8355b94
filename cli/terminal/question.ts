import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/**
 * Asks who sits before a terminal, and gives the line that is typed, '' where input ends. The terminal itself takes care of the line while it is typed: an
 * editor of our own would move the cursor, which a guarded stream (`guard.ts`) does not let pass.
 */
export async function ask(question: string, input: Readable, output: Writable): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input, output, terminal: false });
  try {
    return await Promise.race([lines.question(question), once(lines, 'close').then(() => '')]);
  } finally {
    lines.close();
  }
}
