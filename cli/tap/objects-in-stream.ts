/** The largest trace: Envoy takes no headers of more than 60 KiB each way, and writes some words about each. */
const MAX_CHARACTERS = 4_000_000;

/**
 * Finds JSON objects that follow each other in a stream with nothing that separates them, as Envoy's `/tap` writes them.
 * @throws {Error} when one is too long to be a trace; {SyntaxError} when what comes is no JSON
 */
export async function* objectsIn(stream: AsyncIterable<string>): AsyncGenerator<unknown> {
  let text = '';
  let [at, depth, quoted, escaped] = [0, 0, false, false];
  for await (const chunk of stream) {
    text += chunk;
    for (; at < text.length; at++) {
      const character = text[at];
      if (escaped) escaped = false;
      else if (quoted && character === '\\') escaped = true;
      else if (character === '"') quoted = !quoted;
      else if (quoted) continue;
      else if (character === '{') depth++;
      else if (character === '}' && --depth === 0) {
        yield JSON.parse(text.slice(0, at + 1));
        text = text.slice(at + 1);
        at = -1;
      }
    }
    if (text.length > MAX_CHARACTERS) throw new Error('the sidecar sends what is no trace of a request');
  }
}
