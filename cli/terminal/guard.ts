import { PAINT } from './colour.ts';
import { printable } from './printable.ts';

/** Part of a terminal stream that is guarded. */
export interface GuardedStream {
  readonly isTTY?: boolean;
  write: NodeJS.WriteStream['write'];
}

/** Streams that are guarded, with what writes to them as it is. */
const unguarded = new WeakMap<object, (text: string) => boolean>();

/** What may stand in text: our colours, and ends of lines as Windows writes them. */
const HARMLESS = new RegExp(`(${PAINT}|\\r?\\n)`);

/** Text of which a terminal obeys nothing but colours; other control characters are written out. */
export function harmless(text: string): string {
  return text
    .split(HARMLESS)
    .map((part, index) => (index % 2 === 1 ? part : printable(part)))
    .join('');
}

/**
 * From now on a terminal obeys nothing that is written to it but colours: what commands show comes from pods, objects and logs, which are anybody's, and
 * could hide lines, or type. What goes to a file or a program stays as it is.
 */
export function guardTerminal(stream: GuardedStream): void {
  if (stream.isTTY !== true || unguarded.has(stream)) return;
  const write = stream.write.bind(stream) as (chunk: string | Uint8Array, ...rest: never[]) => boolean;
  unguarded.set(stream, write);
  const guarded = (chunk: string | Uint8Array, ...rest: never[]) =>
    write(typeof chunk === 'string' ? harmless(chunk) : chunk, ...rest);
  stream.write = guarded as GuardedStream['write'];
}

/** Writes what moves the cursor, which is the command's own: what strangers wrote must not be in it, or made `harmless`. */
export function draw(stream: { write(text: string): unknown }, text: string): void {
  (unguarded.get(stream) ?? stream.write.bind(stream))(text);
}
