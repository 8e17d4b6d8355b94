/** Longest line of a log that is kept whole, in characters; whoever writes the log could go on for ever. */
const MAX_CHARACTERS = 256 * 1024;

/** Lines of a stream of text, without their ends. Of one that is too long comes the beginning, with `…` for the rest. */
export async function* linesOf(stream: AsyncIterable<string>): AsyncGenerator<string> {
  let line = '';
  let isCut = false;
  for await (const chunk of stream) {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf('\n', from);
      const part = chunk.slice(from, end < 0 ? undefined : end);
      const room = MAX_CHARACTERS - line.length;
      isCut ||= part.length > room;
      line += part.slice(0, room);
      if (end < 0) break;
      yield isCut ? `${line}…` : line.replace(/\r$/, '');
      [line, isCut] = ['', false];
      from = end + 1;
    }
  }
  if (line !== '') yield isCut ? `${line}…` : line;
}
