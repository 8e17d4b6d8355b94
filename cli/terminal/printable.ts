/** Control characters: a terminal obeys them, and what comes from requests and logs may be anybody's. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;
/** Unicode's own, which turn the direction of what follows, and with it what a line seems to say; and its ends of lines. */
const DIRECTION = /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text of strangers as it may be written to a terminal: control characters are written out, as `\x1b` and `\u202e`. */
export function printable(text: string): string {
  const code = (one: string, digits: number) => one.charCodeAt(0).toString(16).padStart(digits, '0');
  return text.replaceAll(CONTROL, (one) => `\\x${code(one, 2)}`).replaceAll(DIRECTION, (one) => `\\u${code(one, 4)}`);
}
