/** Control characters: a terminal obeys them, and what comes from requests and logs may be anybody's. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** Text of strangers as it may be written to a terminal: control characters are written out, as `\x1b`. */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
